"""The kernel: documents, models, commands, findings. It knows no tool."""
