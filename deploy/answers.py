"""Whether the web server answers behind its socket; the container engine asks. Ends with status 1 where it does not."""

import http.client
import os
import socket
import sys


class Behind(http.client.HTTPConnection):
    """A connection through the socket instead of a port."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(sys.argv[1] if len(sys.argv) > 1 else "/run/labdb/web.sock")


host = os.environ["ALLOWED_HOSTS"].split(",")[0].strip()
web = Behind(host, timeout=5)
web.request("GET", "/", headers={"X-Forwarded-Proto": "https"})
sys.exit(web.getresponse().status >= 500)
