"""`python -m clusternas` is the command line."""

import sys

from clusternas.cli import main

sys.exit(main())
