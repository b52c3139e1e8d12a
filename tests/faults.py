"""How often the tests that break things do so: TRANCHER_FAULTS multiplies it.

`make faults` asks for ten times as many as every run of the slow tests.
"""

import os
from typing import Final

TIMES: Final = int(os.environ.get("TRANCHER_FAULTS", "1"))
