"""How gunicorn serves the program on a server: through a socket that only the proxy reaches."""

import os

wsgi_app = "labdb.wsgi:application"
bind = "unix:/run/labdb/web.sock"  # systemd hands over one of its own instead
workers = int(os.environ.get("LABDB_WEB_WORKERS") or 2)
threads = 4
timeout = 120  # seconds without a sign of life after which a process is replaced
graceful_timeout = 30
preload_app = True  # the processes share the memory of what they import
worker_tmp_dir = "/dev/shm"
control_socket_disable = True  # it would lie in the home folder
forwarder_headers = ""  # no header of a client becomes a part of the WSGI environment
