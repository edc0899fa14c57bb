"""What else a school might run for its join links, each doing the same work on the same PostgreSQL.

The statement is the product's own, as PostgreSQL logged it, prepared and planned once a connection as there; the
token is opened and the visitor judged in the peer's language. nginx before a peer has the settings of our own site:
its log, its headers, its kept connections, and before those that count clicks its limits.
"""

import contextlib
import os
import pathlib
import pwd
import re
import shutil
import tempfile

from place import ROOT, TOOLS, answers, child, free_port

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
NGINX = """
daemon off;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log alert;
worker_processes 2;
events {{ worker_connections 4096; }}
http {{
	client_body_temp_path {folder}/body;
	fastcgi_temp_path {folder}/fastcgi;
	proxy_temp_path {folder}/proxy;
	scgi_temp_path {folder}/scgi;
	uwsgi_temp_path {folder}/uwsgi;
	include {root}/nginx/http.conf;
	{upstream}
	server {{
		listen 127.0.0.1:{port} backlog=4096;
		include {root}/nginx/headers.conf;
		access_log {folder}/access.log classclock;
		location / {{
			{location}
		}}
	}}
}}
"""
TRACK = re.search(r"(?s)location = /api/zoom/track \{(.*?)\}", (ROOT / "nginx/site.conf").read_text())[1]
LIMITS = " ".join(re.findall(r"limit_\w+ [^;]*;", TRACK))
KEPT = "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header X-Forwarded-For $remote_addr;"
PHP = """
[global]
error_log = {folder}/php.log
daemonize = no
[www]
user = www-data
group = www-data
listen = {folder}/php.sock
listen.mode = 0666
listen.backlog = 4096
pm = static
pm.max_children = {children}
clear_env = no
php_admin_value[opcache.enable] = 1
php_admin_value[opcache.validate_timestamps] = 0
"""


class Peers:
    """Starts peers of an instance of the product."""

    def __init__(self, place, statement):
        self.place = place
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="classclock-peers."))
        self.folder.chmod(0o755)
        shutil.copy(PEERS / "click.php", self.folder)
        for name, text in (("group", statement), ("single", statement.replace(" SKIP LOCKED", ""))):
            (self.folder / f"{name}.sql").write_text(text)
        self.environment = {
            "PATH": os.environ["PATH"],
            "KEY": place.secret("key").decode().strip(),
            "NODE_ENV": "production",
        }

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def fastify(self, processes=1, mode="single", pool=16):
        port = free_port()
        environment = {
            **self.environment,
            "MODE": mode,
            "PROCESSES": str(processes),
            "POOL": str(pool),
            "PORT": str(port),
            "DATABASE": str(self.place.socket),
            "STATEMENT": str(self.folder / ("group.sql" if mode == "grouped" else "single.sql")),
        }
        with child(["node", PEERS / "click.mjs"], environment, lambda: answers(port)) as process:
            yield port, process.pid

    @contextlib.contextmanager
    def nginx(self, location, upstream=""):
        port = free_port()
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        folder.chmod(0o755)
        user = pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() else "www-data"
        config = folder / "nginx.conf"
        config.write_text(
            NGINX.format(folder=folder, root=ROOT, port=port, location=location, upstream=upstream, user=user)
        )
        with child(["/usr/sbin/nginx", "-c", config, "-e", folder / "log"], None, lambda: answers(port)) as process:
            yield port, process.pid

    @contextlib.contextmanager
    def fastify_grouped(self):
        """As a site runs it: nginx in front, with a site's limits, its connections kept."""
        with self.fastify(mode="grouped") as (port, _):
            upstream = f"upstream peer {{ server 127.0.0.1:{port}; keepalive 128; }}"
            with self.nginx(f"{LIMITS} {KEPT} proxy_pass http://peer;", upstream) as (front, pid):
                yield front, pid

    @contextlib.contextmanager
    def php(self, children=16):
        config = self.folder / "php.conf"
        config.write_text(PHP.format(folder=self.folder, children=children))
        environment = {
            **self.environment,
            "DATABASE": f"host={self.place.socket} dbname=classclock user=classclock_app"
            " options='-c plan_cache_mode=force_generic_plan'",
            "STATEMENT": str(self.folder / "single.sql"),
        }
        socket = self.folder / "php.sock"
        command = ["php-fpm8.2", "-n", "-d", "zend_extension=opcache", "-d", "extension=pgsql", "-y", config, "-F"]
        with child(command, environment, socket.exists):
            location = (
                f"{LIMITS} include /etc/nginx/fastcgi_params;"
                f" fastcgi_param SCRIPT_FILENAME {self.folder}/click.php; fastcgi_pass unix:{socket};"
            )
            with self.nginx(location) as (port, pid):
                yield port, pid

    @contextlib.contextmanager
    def hello(self):
        """nginx with a FastCGI program that does nothing, its connections kept."""
        sock = self.folder / "hello.sock"
        with child([TOOLS / "fcgi_hello", sock], None, sock.exists):
            location = "include /etc/nginx/fastcgi_params; fastcgi_keep_conn on; fastcgi_pass hello;"
            with self.nginx(location, f"upstream hello {{ server unix:{sock}; keepalive 64; }}") as (port, pid):
                yield port, pid
