"""Serves buckets by the protocol of S3, in memory, at the port that is given. Prints a line once it listens."""

import sys
from threading import Event

from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=int(sys.argv[1]), verbose=False)
server.start()
print("ready", flush=True)
Event().wait()
