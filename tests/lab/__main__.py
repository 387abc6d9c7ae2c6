"""Run the lab: `python tests/lab smoke`."""

import sys

from clusterlab.main import main

sys.exit(main())
