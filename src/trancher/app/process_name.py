"""What this process is called among those that run bots on one database."""

import os
import secrets
import socket
from typing import Final

PROCESS: Final = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
"""Host and number, by which a person finds it, and what no other has."""
