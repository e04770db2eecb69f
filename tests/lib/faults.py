"""Faults and a clock for the program under test: what tests/preload/faults.c does, by files in a folder.

    faults = Faults(folder)
    responder = Responder(folder, settings=faults.settings())
    faults.set("no-space"); faults.clear("no-space")
    faults.set("clock", str(ms))                    the program's wall clock stands there
"""

import os
import shutil


class Faults:
    """What tests/preload/faults.c does to the program, by files in a folder."""

    def __init__(self, folder):
        built = os.path.join(os.path.abspath(os.environ.get("top_builddir") or os.getcwd()), "tests", "preload", "faults.so")
        self.library = folder.join("cgi-bin", "faults.so")
        self.path = folder.join("faults")
        shutil.copy(built, self.library)
        os.mkdir(self.path)
        folder.give(self.path)
        self.folder = folder

    def settings(self, more=None):
        """Settings for what is started."""
        asan = self.folder.sanitizer_options()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
        # In a private environment the engine does not free the older versions of the pages that the filler of a log file was on.
        with open(self.folder.join("lsan.supp"), "a", encoding="ascii") as file:
            file.write("leak:begin_log_file\n")
        return {"LD_PRELOAD": self.library, "FAULTS_DIR": self.path, "ASAN_OPTIONS": asan, **(more or {})}

    def set(self, name, content=""):
        """In one step, so that no process sees half of it."""
        half = os.path.join(self.path, "." + name)
        with open(half, "w", encoding="utf-8") as file:
            file.write(content)
        os.chmod(half, 0o666)
        os.rename(half, os.path.join(self.path, name))

    def clear(self, name):
        try:
            os.unlink(os.path.join(self.path, name))
        except FileNotFoundError:
            pass

    def asked(self, name):
        return os.path.exists(os.path.join(self.path, name))

    def content(self, name):
        try:
            with open(os.path.join(self.path, name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""
