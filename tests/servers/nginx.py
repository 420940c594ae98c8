"""nginx of Debian before several servers that answer alike."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.servers.binaries import NGINX
from tests.servers.killable import Killable, answers

# As docs/scaling.md has it, but for the paths of this one.
_CONFIGURATION: Final = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream prombridge {{
{servers}
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 16m;
        location / {{
            proxy_pass http://prombridge;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_connect_timeout 1s;
            proxy_read_timeout 150s;
            proxy_next_upstream error timeout non_idempotent;
            proxy_next_upstream_tries 2;
        }}
        location = /nginx {{ return 204; }}
    }}
}}
"""


def nginx(folder: Path, port: int, upstreams: Sequence[int]) -> Killable:
    """An nginx on a port of loopback before these, not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    servers = "\n".join(f"        server 127.0.0.1:{one} max_fails=0;" for one in upstreams)
    file = folder / "nginx.conf"
    file.write_text(_CONFIGURATION.format(folder=folder, port=port, servers=servers))
    command = [str(NGINX.locate()), "-e", "stderr", "-p", str(folder), "-c", str(file)]
    url = f"http://127.0.0.1:{port}"
    return Killable(command, url, answers(f"{url}/nginx"), folder / "nginx.log")
