"""What load.py measures: the service, a program that does nothing in its place, and the same API in PHP and for Node (peers/).

Everything runs on 127.0.0.1 with a free port, has its files in the temporary folder of the Stage, and is ended by the ids of the processes that were
started. The service and the program that does nothing run behind the web servers as tests/lib starts them, with the shipped site files.
"""

import glob
import os
import pwd
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "lib"))

import harness
import wrk
from folder import BUILD

PEERS = os.path.join(HERE, "peers")
CACHE = os.path.join(BUILD, "bench-cache")
BARE = os.path.join(BUILD, "bench", "limits", "bare")
SERVERS = {"nginx": harness.Nginx, "lighttpd": harness.Lighttpd}
# lighttpd opens a connection for every request and shares them out to two processes; nginx keeps up to 64 in each of its two workers to a single
# one, and each takes a thread of libfcgi's.
BARE_THREADS = {"nginx": "128", "lighttpd": "32"}
START_SECONDS = 60
NPM_SECONDS = 1200


class Missing(Exception):
    """Something cannot be measured on this machine; the text says why."""


def command(*names):
    """The first of these programs that is installed; a name may be a pattern."""
    folders = os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/usr/local/sbin"]
    for name in names:
        for folder in folders:
            for path in sorted(glob.glob(os.path.join(folder, name)), reverse=True):
                if os.access(path, os.X_OK):
                    return path
    raise Missing("%s is not installed" % names[0])


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Processes:
    """Processes that belong together, and their folder; the last that was started ends first."""

    def __init__(self, folder):
        self.folder = folder
        self.children = []
        os.makedirs(folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        """A configuration; its lines are written without what they are indented by here, which php-fpm does not take."""
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.writelines(line.strip() + "\n" for line in text.split("\n"))
        return self.path(name)

    def start(self, arguments, ready, env=None):
        with open(self.path("log"), "ab") as log:
            child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, env={**os.environ, **(env or {})},
                                     start_new_session=True)
        self.children.append(child)

        def there():
            if child.poll() is not None:
                raise AssertionError("%s ended with %d" % (arguments[0], child.returncode))
            return ready()
        harness.wait_until(there, arguments[0], START_SECONDS)

    def run(self, arguments, **more):
        """To its end; what it says goes to the log."""
        with open(self.path("log"), "ab") as log:
            subprocess.run(arguments, check=True, stdout=log, stderr=log, cwd=self.folder, **more)

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]

    def stop(self):
        while self.children:
            child = self.children.pop()
            child.terminate()
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


# The same API, written as it usually would be. Each function starts one, with the users and sessions that wrk.seed puts into the service, and returns
# its port.

def some_uuid(dice, ms):
    return str(uuid.UUID(int=(ms << 80 | 7 << 76 | dice.getrandbits(76)) & ~(3 << 62) | 2 << 62))


def seeded(schema):
    """SQL that makes and fills a database. Through the API it would take the peers minutes."""
    dice, ms, sessions = random.Random(1), 1700000000000, []
    stats = ["(%d,'%s','%s')" % (number + 1, some_uuid(dice, ms), wrk.user(number)) for number in range(wrk.LISTED + 1)]
    for number in list(range(wrk.READ_USERS)) * wrk.READ_SESSIONS + [wrk.LISTED] * wrk.LISTED_SESSIONS:
        ms += 1000
        sessions.append("('%s',%d,'%s','%s',%d,%d)" % (some_uuid(dice, ms), number + 1, wrk.DOCUMENT, wrk.LIBRARY, ms, ms + 500))
    with open(os.path.join(PEERS, schema), encoding="utf-8") as file:
        text = file.read() + "BEGIN;\n"
    for table, rows in (("focus_stats(id, uuid, user)", stats), ("focus_sessions(uuid, stats, document, library, start_time, end_time)", sessions)):
        for first in range(0, len(rows), 1000):
            text += "INSERT INTO %s VALUES\n%s;\n" % (table, ",\n".join(rows[first:first + 1000]))
    return text + "COMMIT;\n"


def nginx_before(processes, location):
    port = harness.free_port()
    temporary = "".join("%s_temp_path %s;\n" % (kind, processes.path(kind)) for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    path = processes.write("nginx.conf", """%s
        worker_processes 2;
        daemon off;
        pid %s;
        error_log %s warn;
        events { worker_connections 8192; }
        http {
            access_log off;
            keepalive_requests 1000000;
            %s
            server {
                listen 127.0.0.1:%d backlog=511;
                root %s;
                %s
            }
        }
        """ % ("user root;" if harness.AS_ROOT else "", processes.path("nginx.pid"), processes.path("nginx.log"), temporary, port, processes.folder,
               location))
    processes.start([command("nginx"), "-e", processes.path("nginx.log"), "-c", path], lambda: answers(port))
    return port


def php(processes, children, source, user):
    shutil.copy(os.path.join(PEERS, "api.php"), processes.folder)
    path = processes.write("fpm.conf", """[global]
        error_log = %s
        daemonize = no
        [focus]
        %s
        listen = %s
        listen.mode = 0666
        listen.backlog = 511
        pm = static
        pm.max_children = %d
        env[FOCUS_DSN] = "%s"
        env[FOCUS_DB_USER] = "%s"
        """ % (processes.path("fpm.log"), "user = root" if harness.AS_ROOT else "", processes.path("fpm.sock"), children, source, user))
    as_root = ["-R"] if harness.AS_ROOT else []
    processes.start([command("php-fpm*"), *as_root, "-y", path, "-d", "opcache.enable=1", "-d", "opcache.validate_timestamps=0"],
                    lambda: os.path.exists(processes.path("fpm.sock")))
    names = {"REQUEST_METHOD": "$request_method", "CONTENT_TYPE": "$content_type", "CONTENT_LENGTH": "$content_length", "DOCUMENT_URI": "$document_uri",
             "REQUEST_URI": "$request_uri", "SERVER_PROTOCOL": "$server_protocol", "GATEWAY_INTERFACE": "CGI/1.1", "REMOTE_ADDR": "$remote_addr",
             "SCRIPT_FILENAME": processes.path("api.php")}
    return nginx_before(processes, "location /api/FocusStats/ {\nfastcgi_pass unix:%s;\n%s\nfastcgi_buffers 16 64k;\nfastcgi_buffer_size 16k;\n}" %
                        (processes.path("fpm.sock"), "\n".join("fastcgi_param %s %s;" % pair for pair in names.items())))


def php_has(extension):
    if not glob.glob("/usr/lib/php/*/%s.so" % extension) and os.path.isdir("/usr/lib/php"):
        raise Missing("PHP's %s is not installed" % extension)


def create_sqlite(processes):
    path = processes.path("focus.db")
    database = sqlite3.connect(path)
    database.executescript(seeded("sqlite.sql"))
    database.close()
    return path


def php_sqlite(processes):
    php_has("pdo_sqlite")
    return php(processes, 4, "sqlite:" + create_sqlite(processes), "none")


def php_mariadb(processes):
    php_has("pdo_mysql")
    server, client, user = command("mariadbd"), command("mariadb"), pwd.getpwuid(os.geteuid()).pw_name
    data, sock = processes.path("mysql"), processes.path("mariadb.sock")
    processes.run([command("mariadb-install-db"), "--no-defaults", "--datadir=" + data, "--user=" + user, "--auth-root-authentication-method=normal",
                   "--skip-test-db"])
    sql = [client, "--no-defaults", "-uroot", "-S", sock]

    def ready():
        return subprocess.run(sql + ["-e", "SELECT 1"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    processes.start([server, "--no-defaults", "--datadir=" + data, "--user=" + user, "--socket=" + sock, "--pid-file=" + processes.path("mariadb.pid"),
                     "--skip-networking", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=512M",
                     "--innodb-log-file-size=512M"], ready)
    processes.run(sql, input=("CREATE DATABASE focus; USE focus;\n" + seeded("mariadb.sql")).encode())
    return php(processes, 8, "mysql:unix_socket=%s;dbname=focus;charset=utf8mb4" % sock, "root")


def node_modules():
    """The folder with the packages that server.js needs and a copy of it; they are fetched once for a build."""
    place = os.path.join(CACHE, "node")
    npm = command("npm")
    done = os.path.join(place, "fetched")
    os.makedirs(place, exist_ok=True)
    names = ("package.json", "package-lock.json", ".npmrc")
    for name in names + ("server.js",):
        shutil.copy(os.path.join(PEERS, name), place)
    if os.path.exists(done) and all(os.path.getmtime(done) >= os.path.getmtime(os.path.join(PEERS, name)) for name in names):
        return place
    print("fetching what the peer for Node needs, which takes some minutes where it is compiled", file=sys.stderr)
    try:
        subprocess.run([npm, "ci", "--fetch-retries", "1"], cwd=place, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=NPM_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise Missing("npm did not get better-sqlite3 and fastify") from error
    with open(done, "w", encoding="utf-8"):
        pass
    return place


def node(processes, workers=1):
    program, place = command("node"), node_modules()
    port = harness.free_port()
    env = {"NODE_ENV": "production", "FOCUS_DB": create_sqlite(processes), "FOCUS_PORT": str(port), "FOCUS_WORKERS": str(workers)}
    processes.start([program, os.path.join(place, "server.js")], lambda: answers(port), env)
    return port


def node_cluster(processes):
    return node(processes, 2)


ALL_PEERS = {"php-sqlite": php_sqlite, "php-mariadb": php_mariadb, "node": node, "node-cluster2": node_cluster}


class Stage:
    """Everything that runs, by its name. A target is started, and seeded, when it is first asked for; at the end of the `with` all of it is ended."""

    def __init__(self, beside):
        self.urls = {}
        self.stops = []
        self.beside = beside  # of the command line: label -> URL
        self.missing = {}

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _: sys.exit(128 + received))
        base = tempfile.gettempdir()
        self.folder = tempfile.mkdtemp(prefix="bench-", dir=base if len(base) <= 20 else "/tmp")  # the sockets below have long paths
        os.chmod(self.folder, 0o755)
        tempfile.tempdir = self.folder
        return self

    def __exit__(self, *_):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for stop in reversed(self.stops):
            try:
                stop()
            except AssertionError as error:
                print(error, file=sys.stderr)
        tempfile.tempdir = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def behind(self, server, program=None, settings=None):
        """A web server with the service, or another program in its place; the URL."""
        missing = SERVERS[server].missing()
        if missing:
            raise Missing(missing)
        folder = harness.TestFolder()
        if program:
            shutil.copy(program, folder.program)
        running = SERVERS[server](folder, settings=settings)
        running.ends_in_order = not program
        self.stops.append(running.stop)
        running.start()
        return "http://127.0.0.1:%d" % running.port

    def ours(self, server):
        name = "ours, " + server
        if name not in self.urls:
            url = self.behind(server)
            wrk.seed(url)
            self.urls[name] = url
        return self.urls[name]

    def bare(self, server, **settings):
        """A libfcgi program that does nothing, or next to nothing; append=True for one write to the disk a request, bytes=N for an answer's size."""
        name = "bare, %s, %s" % (server, settings)
        if name not in self.urls:
            env = {"BARE_THREADS": BARE_THREADS[server]}
            if "append" in settings:
                place = tempfile.mkdtemp(dir=self.folder)
                if harness.AS_ROOT:
                    os.chown(place, harness.worker().pw_uid, harness.worker().pw_gid)
                env["BARE_APPEND"] = os.path.join(place, "appended")
            if "bytes" in settings:
                env["BARE_BYTES"] = str(settings["bytes"])
            self.urls[name] = self.behind(server, BARE, env)
        return self.urls[name]

    def others(self):
        """The peers that run here, and what the command line names: name -> URL. Why the rest does not run is in .missing."""
        for name, start in ALL_PEERS.items():
            if name in self.urls or name in self.missing:
                continue
            processes = Processes(os.path.join(self.folder, name))
            self.stops.append(processes.stop)
            try:
                url = "http://127.0.0.1:%d" % start(processes)
                wrk.seed(url)
                self.urls[name] = url
            except Missing as error:
                processes.stop()
                self.missing[name] = str(error)
            except (AssertionError, OSError, RuntimeError, subprocess.CalledProcessError) as error:
                self.missing[name] = "it did not start (what it said is on standard error)"
                print("%s: %s\n%s" % (name, error, processes.log()), file=sys.stderr)
                processes.stop()
        for label, url in self.beside.items():
            if label not in self.urls and label not in self.missing:
                try:
                    wrk.seed(url)
                    self.urls[label] = url
                except (OSError, RuntimeError) as error:
                    self.missing[label] = "it could not be filled: %s" % error
        return {name: self.urls[name] for name in [*ALL_PEERS, *self.beside] if name in self.urls}
