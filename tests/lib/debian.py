"""Python modules that come as Debian packages, also for a Python that is not Debian's.

    parser = debian.module("prometheus_client.openmetrics.parser", "python3-prometheus-client")     skips the test where it is not installed
"""

import importlib
import sys
import unittest

FOLDER = "/usr/lib/python3/dist-packages"


def module(name, package):
    try:
        return importlib.import_module(name)
    except ImportError:
        pass
    sys.path.append(FOLDER)
    try:
        return importlib.import_module(name)
    except ImportError:
        raise unittest.SkipTest("the Python module %s is not installed (Debian package %s)" % (name, package)) from None
    finally:
        sys.path.remove(FOLDER)
