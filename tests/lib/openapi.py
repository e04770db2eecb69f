"""The service's description of itself, and what its schemas say of requests and answers; schemas.mjs asks Node's validators.

    api = openapi.Description(document)         the parsed openapi.json
    api.operations                              {action: (path, method)}
    api.request(action, fields)                 notes a request's body; returns a mark
    api.answer(action, status, value)           notes an answer; keys that the schema does not name count as wrong, but for the error's
    marks = api.run()                           {mark: [what is wrong, ...]}; AssertionError where the document itself is not valid OpenAPI 3.1
"""

import json
import os
import shutil
import subprocess
import unittest

import folder

PACKAGES = ["@seriousme/openapi-schema-validator", "ajv", "ajv-formats"]


def modules():
    """The folder of node_modules with what is needed; skips the test where there is none."""
    if shutil.which("node") is None:
        raise unittest.SkipTest("node is not installed (Debian package nodejs)")
    path = os.path.join(folder.BUILD, "tests", "browser", "node_modules")
    if not all(os.path.isdir(os.path.join(path, *name.split("/"))) for name in PACKAGES):
        raise unittest.SkipTest("the tests' node modules are not installed: make browser-modules (Debian package npm)")
    return path


def pointer(*names):
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


class Description:
    """A document and the values that are to be held against it."""

    def __init__(self, document):
        self.document = document
        self.checks = []
        self.operations = {path.rsplit("/", 1)[1]: (path, method) for path, item in document["paths"].items() for method in item}

    def operation(self, action):
        path, method = self.operations[action]
        return self.document["paths"][path][method]

    def note(self, place, value, closed):
        self.checks.append({"pointer": place, "closed": closed, "value": value})
        return len(self.checks) - 1

    def request(self, action, fields):
        path, method = self.operations[action]
        return self.note(pointer("paths", path, method, "requestBody", "content", "application/json", "schema"), fields, False)

    def answer(self, action, status, value, content_type="application/json"):
        path, method = self.operations[action]
        responses = self.operation(action)["responses"]
        if str(status) not in responses:
            raise AssertionError("%s does not say that it may answer %s: %s" % (action, status, value))
        reference = responses[str(status)].get("$ref")
        if reference:
            return self.note(reference[1:] + pointer("content", content_type, "schema"), value, False)
        return self.note(pointer("paths", path, method, "responses", str(status), "content", content_type, "schema"), value, True)

    def run(self):
        asked = json.dumps({"document": self.document, "checks": self.checks})
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schemas.mjs")
        done = subprocess.run(["node", script, modules()], input=asked.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=100)
        if done.returncode != 0:
            raise AssertionError("the validators ended with %d: %s" % (done.returncode, done.stderr.decode()))
        told = json.loads(done.stdout)
        if told["errors"] or told["version"] != "3.1":
            raise AssertionError("not OpenAPI 3.1: %s %s" % (told["version"], told["errors"]))
        return dict(enumerate(told["checks"]))
