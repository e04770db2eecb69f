#!/usr/bin/env python3
"""make check-install: the commands with which doc/operation.md installs the service on a machine of one's own, run as they stand there.

    install.py TARBALL

As root, on Debian 12 with the web servers' packages: each section has a copy of /etc, /var and /usr/local of its own (overlayfs), an empty /run and
processes and a network of its own, all of which are gone when it ends. The release is built as README.md says, and installed in each. Only a
terminal's answers are given in advance: the password of htpasswd. systemd does not run there, so its section is left out.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from markdown import blocks, read, sections

PAGE = "doc/operation.md"
# Section, a server that Debian would have running by then, and whose the processes of the service are.
WAYS = [("nginx", "nginx", "focusstats"), ("Apache", None, "focusstats"), ("lighttpd", None, "www-data"),
        ("Apache with mod_fcgid", None, "www-data"), ("Plain CGI", None, "www-data")]
COPIED = ["/etc", "/var", "/usr/local"]
NAMESPACES = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child", "--mount-proc"]
API = "http://127.0.0.1/api/FocusStats/"
SECONDS = 20


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False, **more)
    if done.returncode != 0:
        sys.exit("check-install: %s ended with %d:\n%s" % (" ".join(command), done.returncode, done.stdout))
    return done.stdout


def curl(*arguments):
    """The status and the body of what is answered."""
    done = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", *arguments], stdout=subprocess.PIPE, encoding="utf-8", check=False)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def same(what, got, expected):
    if got != expected:
        sys.exit("check-install: %s: %r instead of %r" % (what, got, expected))


def expect(status, *arguments):
    got, body = curl(*arguments)
    same(" ".join(arguments) + ": " + body, got, status)
    return body


def own_machine(work):
    """What is changed from here on is so in this namespace alone."""
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "tmpfs", work)
    for folder in COPIED:
        layers = [os.path.join(work, folder.replace("/", "-") + name) for name in ("-upper", "-work")]
        for layer in layers:
            os.mkdir(layer)
        run("mount", "-t", "overlay", "overlay", "-o", "lowerdir=%s,upperdir=%s,workdir=%s" % (folder, *layers), folder)
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    os.makedirs("/run/lock")
    run("ip", "link", "set", "lo", "up")


def service_users():
    return {run("stat", "-c", "%U", "/proc/" + pid).strip() for pid in os.listdir("/proc") if pid.isdigit() and program_of(pid).endswith("focusstats.fcgi")}


def program_of(pid):
    try:
        return os.readlink("/proc/%s/exe" % pid)
    except OSError:
        return ""


def try_section(title, running, user, built):
    shown, = [[block.text for block in blocks(section.lines) if block.language == "sh"] for section in sections(read(PAGE)) if section.title == title]
    same("blocks under " + title, len(shown), 1)
    run("make", "-C", built, "-s", "install")
    if running:
        run(running)
    run("sh", "-exc", shown[0].replace("htpasswd -c ", "echo word | htpasswd -ci "), cwd="/", stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + SECONDS
    while curl(API + "health")[0] != 401:
        if time.monotonic() > deadline:
            sys.exit("check-install: %s: no 401 within %d s: %s" % (title, SECONDS, curl(API + "health")))
        time.sleep(0.1)
    signed_in = ["-u", "reader:word", "-H", "Content-Type: application/json"]
    expect(401, "-u", "reader:wrong", API + "health")
    expect(200, *signed_in, "-d", "{}", API + "initUser")
    expect(200, *signed_in, "-d", '{"document":"walden","library":"home"}', API + "startSession")
    expect(403, *signed_in, "-d", '{"user":"other"}', API + "_getSessions")
    same("the sessions", expect(200, *signed_in, "-d", "{}", API + "_getSessions").count("walden"), 1)
    same("the page", len(re.findall("<title>FocusStats</title>", expect(200, "http://127.0.0.1/"))), 1)
    same("the home", run("stat", "-c", "%U %a", "/var/lib/focusstats").strip(), user + " 700")
    same("the users", run("focusstats", "-q", "users").split()[-1:], ["reader"])
    same("who runs the service", service_users(), set() if title == "Plain CGI" else {user})
    print("check-install: %s: passed" % title, flush=True)


def main():
    if sys.argv[1] == "--section":
        own_machine(sys.argv[4])
        try_section(sys.argv[2], *[way[1:] for way in WAYS if way[0] == sys.argv[2]][0], sys.argv[3])
        return
    if os.geteuid() != 0:
        sys.exit("check-install: namespaces and a user of the service's own need root")
    for command in ("apache2", "curl", "htpasswd", "ip", "lighttpd", "nginx", "spawn-fcgi", "unshare"):
        if shutil.which(command) is None:
            sys.exit("check-install: %s is missing" % command)
    with tempfile.TemporaryDirectory(dir="/tmp") as work:
        os.chmod(work, 0o755)
        run("tar", "-C", work, "--strip-components=1", "--one-top-level=built", "-xzf", sys.argv[1])
        built, empty = os.path.join(work, "built"), os.path.join(work, "empty")
        os.mkdir(empty)
        build = [block.text for section in sections(read("README.md")) if section.title == "Install it" for block in blocks(section.lines)]
        same("the last step of README.md's", build[0].split("\n")[-1], "sudo make install")
        run("sh", "-exc", build[0].rpartition("\n")[0], cwd=built)
        for title, _, _ in WAYS:
            done = subprocess.run([*NAMESPACES, sys.executable, os.path.abspath(__file__), "--section", title, built, empty], check=False)
            if done.returncode != 0:
                sys.exit(1)
    print("check-install: all passed")


if __name__ == "__main__":
    main()
