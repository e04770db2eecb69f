"""Real web servers, each with the project's own site file. The overview is in harness.py."""

import base64
import grp
import hashlib
import http.client
import os
import re
import shutil
import signal

import webclient
from folder import AS_ROOT, DEADLINE_SECONDS, SOURCE, child_environment, free_port, patience, wait_until, worker
from responder import Child, Responder, blocks_the_end, encode, ended

PASSWORDS = {"reader": "reader's word", "other": "other's word", "admin": "admin's word", "second-admin": "another word"}
NOBODY = "nobody is signed in"


def basic(user, password=None):
    word = PASSWORDS[user] if password is None else password
    return ("Authorization", "Basic " + base64.b64encode(("%s:%s" % (user, word)).encode()).decode())


class Server(Child):
    """A real web server with the project's own site file."""

    name = None
    site = None
    command = None
    package = None
    ends_in_order = True  # see Responder
    starts_responder = True
    only_auth = False

    def __init__(self, folder, auth=False, settings=None, processes=None, prefix="/api"):
        super().__init__(folder, settings)
        self.auth = auth or self.only_auth
        self.default_user = None
        if self.auth and not auth:
            self.default_user = "admin"
            self.settings.setdefault("FOCUSSTATS_ADMINS", "admin")
        self.prefix = prefix
        self.processes = processes
        self.port = None
        self.child = None
        self.responder = None

    @classmethod
    def missing(cls):
        if cls.binary() is None:
            return "%s is not installed (Debian package %s)" % (cls.command[0], cls.package)
        return None

    @classmethod
    def binary(cls):
        for name in cls.command:
            path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
            if path:
                return path
        return None

    @property
    def pid(self):
        return self.child.pid

    def url(self, action):
        return "%s/FocusStats/%s" % (self.prefix, action)

    def client(self, timeout=None):
        return webclient.Client(self.port, timeout or patience(DEADLINE_SECONDS))

    def raw(self, data, method="POST"):
        return webclient.raw(self.port, data, method)

    def request(self, method, path, body=None, headers=(), user=None):
        with self.client() as client:
            return client.request(method, path, body, list(headers) + self.headers(user))

    def headers(self, user=None):
        """What a request of USER has to have besides its own."""
        user = user or self.default_user
        return [basic(user)] if user and user != NOBODY else []

    def post(self, action, fields, user=None, headers=()):
        return self.request("POST", self.url(action), encode(fields), [("Content-Type", "application/json")] + list(headers), user)

    def health(self):
        return self.request("GET", self.url("health"), user="reader" if self.auth else None)

    # Configuration

    def variables(self):
        made = {"cgibindir": self.folder.bin, "webdir": self.folder.web, "home": self.folder.home, "socket": self.folder.socket,
                "port": str(self.port)}
        if self.auth:
            made["passwd"] = self.folder.join("passwd")
        return made

    def site_text(self):
        """The site file as make writes it and an administrator has it: of the authenticated or the open variant, the variables replaced, mounted at
        the prefix."""
        with open(os.path.join(SOURCE, "apache-conf", self.site + ".in"), encoding="utf-8") as file:
            lines = file.readlines()
        other, mine = ("@open@", "@auth@") if self.auth else ("@auth@", "@open@")
        text = "".join(line[len(mine):] if line.startswith(mine) else line for line in lines if not line.startswith(other))
        for name, value in self.variables().items():
            text = text.replace("@%s@" % name, value)
        left = re.findall(r"@[A-Za-z_]+@", text)
        if left:
            raise AssertionError("%s.in: no value for %s" % (self.site, ", ".join(sorted(set(left)))))
        return text if self.prefix == "/api" else text.replace("/api", self.prefix)

    def write_passwords(self):
        lines = ["%s:{SHA}%s\n" % (user, base64.b64encode(hashlib.sha1(word.encode()).digest()).decode())
                 for user, word in PASSWORDS.items()]
        self.folder.write("passwd", "".join(lines))

    def configuration(self):
        """Writes the main configuration; returns the command line."""
        raise NotImplementedError

    def environment(self):
        return child_environment(self.folder)

    # Running

    def start(self):
        self.write_passwords()
        if not self.starts_responder:
            self.responder = Responder(self.folder, self.responder_settings(), self.processes or 1)
            self.responder.ends_in_order = self.ends_in_order
            self.responder.start()
        for attempt in range(3):
            self.port = free_port()
            self.child = self.popen(self.configuration(), self.name + ".log", self.environment())
            try:
                wait_until(self.ready, "%s answers %s" % (self.name, self.url("health")))
                return self
            except AssertionError:
                text = self.folder.log_text()
                if attempt == 2 or "in use" not in text or self.child.poll() is None:
                    raise AssertionError("%s did not start; its logs:\n%s" % (self.name, text[-6000:])) from None
        raise AssertionError("not reached")

    def responder_settings(self):
        return {"FOCUSSTATS_AUTH": "required" if self.auth else "none", **self.settings}

    def ready(self):
        if self.child.poll() is not None:
            raise AssertionError("%s ended with %d" % (self.name, self.child.returncode))
        try:
            return self.health().status == 200
        except (OSError, http.client.HTTPException):
            return False

    def stop(self):
        """SIGTERM; then nothing of it may be left."""
        wrong = []
        if self.child and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            if not ended(self.child, patience(15)):
                self.child.kill()
                self.child.wait()
                wrong.append("%s did not end within 15 s of SIGTERM" % self.name)
        if self.responder:
            try:
                self.responder.stop()
            except AssertionError as error:
                wrong.append(str(error))
        try:
            self.folder.assert_nothing_left()
        except AssertionError as error:
            wrong.append(str(error))
        if wrong:
            raise AssertionError("; ".join(wrong))


class Lighttpd(Server):
    """lighttpd, which starts the program's processes itself; further settings reach them through its environment."""

    name = "lighttpd"
    site = "lighttpd.conf"
    command = ["lighttpd"]
    package = "lighttpd"

    def configuration(self):
        self.folder.write("site.conf", self.site_text())
        main = [
            'server.port = %d' % self.port,
            'server.bind = "127.0.0.1"',
            'server.document-root = "%s"' % self.folder.web,
            'server.errorlog = "%s"' % self.folder.join("log", "lighttpd-error.log"),
            'server.upload-dirs = ( "%s" )' % self.folder.run,
            'mimetype.assign = ( ".html" => "text/html; charset=utf-8", "" => "application/octet-stream" )',
        ]
        if AS_ROOT:
            main += ['server.username = "%s"' % worker().pw_name, 'server.groupname = "%s"' % grp.getgrgid(worker().pw_gid).gr_name]
        main += ['include "%s"' % self.folder.join("site.conf")]
        path = self.folder.write("lighttpd.conf", "\n".join(main) + "\n")
        return [self.binary(), "-D", "-f", path]

    def environment(self):
        return child_environment(self.folder, self.settings)

    def ready(self):
        """All its processes of the program, too, hear of its end: one that was not executed yet would take the signal with lighttpd's handler."""
        count = int(re.search(r'"max-procs" => (\d+)', self.site_text()).group(1))
        try:
            waiting = sum(map(blocks_the_end, self.folder.processes()))
        except OSError:
            return False
        return waiting == count and super().ready()


class Nginx(Server):
    """nginx, with responders that the harness starts."""

    name = "nginx"
    site = "nginx.conf"
    command = ["nginx"]
    package = "nginx-light"
    starts_responder = False

    def configuration(self):
        self.folder.write("site.conf", self.site_text())
        temporary = ["%s_temp_path %s;" % (kind, self.folder.join("run", kind))
                     for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
        main = [
            "user %s;" % worker().pw_name if AS_ROOT else "",
            "daemon off;",
            "worker_processes 2;",
            "pid %s;" % self.folder.join("nginx.pid"),
            "error_log %s warn;" % self.folder.join("log", "nginx-error.log"),
            "events { worker_connections 8192; }",
            "http {",
            "access_log off;",
            "default_type application/octet-stream;",
            "types { text/html html; text/javascript js; text/css css; }",
            *temporary,
            "include %s;" % self.folder.join("site.conf"),
            "}",
        ]
        path = self.folder.write("nginx.conf", "\n".join(main) + "\n")
        return [self.binary(), "-c", path, "-e", self.folder.join("log", "nginx-error.log")]


class Apache(Server):
    """What Apache's variants have in common: a main configuration that loads the modules and includes the site file."""

    command = ["apache2", "httpd"]
    package = "apache2"
    modules = []
    optional = []
    COMMON = ["mpm_event", "unixd", "authn_core", "authn_file", "authz_core", "authz_host", "authz_user", "auth_basic", "alias", "dir", "env", "headers",
              "mime", "reqtimeout", "rewrite", "setenvif"]

    @classmethod
    def module_folder(cls):
        for folder in ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules", "/usr/local/apache2/modules"):
            if os.path.isdir(folder):
                return folder
        return None

    @classmethod
    def missing(cls):
        if cls.binary() is None or cls.module_folder() is None:
            return "Apache is not installed (Debian package apache2)"
        for name in cls.modules:
            if not os.path.exists(os.path.join(cls.module_folder(), "mod_%s.so" % name)):
                return "Apache's module %s is not installed (Debian package %s)" % (name, "libapache2-mod-fcgid" if name == "fcgid" else "apache2")
        return None

    def configuration(self):
        self.include()
        main = [
            'ServerRoot "%s"' % self.folder.path,
            'DefaultRuntimeDir "%s"' % self.folder.run,
            'Listen 127.0.0.1:%d' % self.port,
            'ServerName localhost',
            'PidFile "%s"' % self.folder.join("apache.pid"),
            'ErrorLog "%s"' % self.folder.join("log", "apache-error.log"),
            'LogLevel warn',
            'Mutex "file:%s" default' % self.folder.run,
        ]
        for name in self.COMMON + self.modules + self.optional:
            if os.path.exists(os.path.join(self.module_folder(), "mod_%s.so" % name)):
                main.append("LoadModule %s_module %s/mod_%s.so" % (name, self.module_folder(), name))
        if AS_ROOT:
            main += ["User %s" % worker().pw_name, "Group #%d" % worker().pw_gid]
        main += [
            "<IfModule mpm_event_module>", "StartServers 1", "ServerLimit 4", "ThreadsPerChild 32", "MaxRequestWorkers 128", "MinSpareThreads 32",
            "</IfModule>",
            'DocumentRoot "%s"' % self.folder.web,
            "TypesConfig /dev/null", "AddType text/html .html", "AddType text/javascript .js", "AddType text/css .css",
            '<Directory />', "Require all denied", '</Directory>',
            '<Directory "%s">' % self.folder.web, "Require all granted", "</Directory>",
        ]
        main += self.main_lines()
        path = self.folder.write("apache.conf", "\n".join(main) + "\n")
        return [self.binary(), "-f", path, "-DFOREGROUND"]

    def include(self):
        """Writes the files that main_lines name."""
        self.folder.write("site.conf", self.site_text())

    def main_lines(self):
        return self.setting_lines() + ['Include "%s"' % self.folder.join("site.conf")]

    def setting_lines(self):
        """How the test's settings reach the program."""
        return []


class ApacheProxyFcgi(Apache):
    """Apache with mod_proxy_fcgi, with responders that the harness starts."""

    name = "apache-proxy-fcgi"
    site = "apache-proxy-fcgi.conf"
    modules = ["proxy", "proxy_fcgi"]
    starts_responder = False


class ApacheFcgid(Apache):
    """Apache with mod_fcgid, which starts the program's processes itself."""

    name = "apache-fcgid"
    site = "apache-fcgid.conf"
    modules = ["fcgid"]

    def setting_lines(self):
        values = {**self.folder.sanitizer_options(), **self.settings}
        return ['FcgidIPCDir "%s"' % self.folder.run, 'FcgidProcessTableFile "%s"' % self.folder.join("run", "fcgid_shm")] \
            + ['FcgidInitialEnv %s "%s"' % pair for pair in values.items() if pair[1]]


class ApacheCgi(Apache):
    """Apache with the program as plain CGI, and with mod_fcgid claiming names in .fcgi, as Debian's package of it does."""

    name = "apache-cgi"
    site = "apache-cgi.conf"
    modules = ["cgid"]
    optional = ["fcgid"]

    def setting_lines(self):
        values = {**self.folder.sanitizer_options(), **self.settings}
        return ['ScriptSock "%s"' % self.folder.join("run", "cgid.sock"),
                "<IfModule fcgid_module>", "AddHandler fcgid-script .fcgi", 'FcgidIPCDir "%s"' % self.folder.run,
                'FcgidProcessTableFile "%s"' % self.folder.join("run", "fcgid_shm"), "</IfModule>"] \
            + ['SetEnv %s "%s"' % pair for pair in values.items() if pair[1]]


class ApacheSharedHost(ApacheCgi):
    """A shared host: Apache that lets folders have an .htaccess, and the program with its wrapper script and its .htaccess in cgi-bin. At /api it is
    reached by the rewriting that the file's comment shows, at any other prefix where it lies. There is only the variant with authentication: a test
    that asks for the open one gets an administrator as its user."""

    name = "apache-shared-host"
    site = "htaccess"
    only_auth = True

    def __init__(self, folder, auth=False, settings=None, processes=None, prefix="/api"):
        super().__init__(folder, auth, settings, processes, prefix if prefix == "/api" else "/cgi-bin/focusstats.cgi")

    def include(self):
        mounted, self.prefix = self.prefix, "/api"
        text = self.site_text()
        self.prefix = mounted
        self.folder.write(os.path.join("cgi-bin", ".htaccess"), text)
        with open(os.path.join(SOURCE, "cgi-bin", "focusstats.cgi"), encoding="utf-8") as file:
            script, count = re.subn(r"(?m)^FOCUSSTATS_HOME=.*$", "FOCUSSTATS_HOME=" + self.folder.home, file.read())
        if count != 1:
            raise AssertionError("focusstats.cgi sets FOCUSSTATS_HOME in %d lines" % count)
        self.folder.write(os.path.join("cgi-bin", "focusstats.cgi"), script, 0o755)
        rewriting = re.findall(r"(?m)^#\s+(Rewrite.*)$", text)
        if len(rewriting) != 2:
            raise AssertionError("the comment of htaccess shows %d lines of rewriting" % len(rewriting))
        if self.prefix == "/api":
            self.folder.write(os.path.join("web", ".htaccess"), "\n".join(rewriting) + "\n")

    def main_lines(self):
        return self.setting_lines() + [
            'ScriptAlias "/cgi-bin/" "%s/"' % self.folder.bin,
            '<Directory "%s">' % self.folder.bin, "AllowOverride AuthConfig Limit FileInfo Options", "Require all granted", "</Directory>",
            '<Directory "%s">' % self.folder.web, "AllowOverride FileInfo", "</Directory>",
        ]
