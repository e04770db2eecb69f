#!/usr/bin/env python3
"""What the site files do for the dashboard, behind each web server: its files with their types and headers, and the figures for this machine alone.

A request from elsewhere is one of this machine that the web server takes for one of 192.0.2.1, by its own module for addresses that a proxy reports.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import harness
import tap

POLICY = {"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:", "base-uri 'none'", "form-action 'none'"}
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
ELSEWHERE = ("X-Real-IP", "192.0.2.1")


def directives(policy):
    return {directive.strip() for directive in policy.split(";")}


class Nginx(harness.Nginx):
    def site_text(self):
        return "set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;\n" + super().site_text()


class Lighttpd(harness.Lighttpd):
    def site_text(self):
        return ('server.modules += ( "mod_extforward" )\nextforward.forwarder = ( "127.0.0.1" => "trust" )\nextforward.headers = ( "X-Real-IP" )\n'
                + super().site_text())


def behind_proxy(server):
    """The Apache SERVER with mod_remoteip."""
    class Made(server):
        modules = server.modules + ["remoteip"]

        def setting_lines(self):
            return super().setting_lines() + ["RemoteIPHeader X-Real-IP", "RemoteIPInternalProxy 127.0.0.1"]
    Made.__name__ = server.__name__
    return Made


class Site(harness.ServerCase):
    abstract = True

    def metrics(self, *headers):
        return self.server.request("GET", self.server.url("metrics"), headers=headers, user=harness.NOBODY).status

    def test_metrics_for_this_machine(self):
        self.assertEqual(self.metrics(), 200)
        self.assertEqual(self.metrics(ELSEWHERE), 403)

    def test_metrics_by_other_paths(self):
        for path in ("%s//FocusStats/metrics", "%s/FocusStats/./metrics", "%s/FocusStats/%%6detrics", "%s/FocusStats/x/../metrics", "%s/FocusStats/metrics?a"):
            reply = self.server.request("GET", path % self.server.prefix, headers=[ELSEWHERE], user=harness.NOBODY)
            self.assertIn(reply.status, (400, 401, 403, 404), path)


class Page(Site):
    abstract = True

    def test_files(self):
        folder = self.server.folder.web
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
        self.assertGreater(len(names), 15)
        for name in names + [""]:
            reply = self.server.request("GET", "/" + name, user=harness.NOBODY)
            self.assertEqual(reply.status, 200, name)
            self.assertEqual(reply.header("Content-Type").split(";")[0], TYPES[os.path.splitext(name or "index.html")[1]], name)
            self.assertEqual(directives(reply.header("Content-Security-Policy")), POLICY | {"frame-ancestors 'none'"}, name)
            self.assertEqual(reply.header("X-Content-Type-Options"), "nosniff", name)
            self.assertEqual(reply.header("Cache-Control"), "no-cache", name)
            if os.path.splitext(name)[1] == ".html":
                self.assertEqual(directives(re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', reply.text).group(1)), POLICY)
                self.assertIsNone(re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! src=)", reply.text))


class SignedIn(Site):
    abstract = True
    auth = True


SERVERS = [Nginx, Lighttpd] + [behind_proxy(server) for server in (harness.ApacheProxyFcgi, harness.ApacheFcgid, harness.ApacheCgi)]
harness.for_servers(globals(), Page, SignedIn, servers=SERVERS)
harness.for_servers(globals(), SignedIn, servers=[behind_proxy(harness.ApacheSharedHost)])

if __name__ == "__main__":
    tap.main(globals())
