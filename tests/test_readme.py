"""Every command that README.md shows is run, in its order, against the service that it shows them with."""
import os
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

TOP = os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), ".."))
OURO = os.environ["OURO"]
PYTHONS = [python for python in os.environ.get("OURO_TEST_PYTHONS", "").split(":") if python]


def examples():
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
        return [line[2:].strip() for line in file if line.startswith("$ ouro ")]


class Readme(unittest.TestCase):
    def run_shell(self, command, folder):
        path = folder + "/bin" + os.pathsep + os.environ["PATH"]
        return subprocess.run(command, shell=True, cwd=folder, env=dict(os.environ, PATH=path), timeout=300,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", check=False)

    def examples_run_with(self, python):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(folder + "/bin")
            os.symlink(OURO, folder + "/bin/ouro")
            service = subprocess.Popen([python, os.path.join(TOP, "fixtures/leaky_service.py"), "--requests", "2000"],
                                       stdout=subprocess.PIPE, encoding="utf-8")
            try:
                self.assertRegex(service.stdout.readline(), r"^HUNG \d+ \{")
                session = None
                for command in examples():
                    command = re.sub(r"\b(dump|dump --children|doctor|watch) \d+", rf"\g<1> {service.pid}", command)
                    command = re.sub(r"\bcore\.\d+", f"core.{service.pid}", command)
                    if " --core " in command:
                        written = self.run_shell(f"gcore -o core {service.pid}", folder)
                        self.assertEqual(written.returncode, 0, written.stdout + written.stderr)
                    if re.search(r"0x[0-9a-f]+", command) and not session:
                        found = self.run_shell("ouro objects service.ouro --type Session --limit 1", folder)
                        session = re.search(r"0x[0-9a-f]+", found.stdout).group()
                    command = re.sub(r"0x[0-9a-f]+", session or "", command)
                    result = self.run_shell(command, folder)
                    with self.subTest(command):
                        self.assertEqual(result.returncode, 0, result.stderr)
                        self.assertTrue(result.stdout or " dump " in command, "no output")
                self.assertIsNone(service.poll(), "the service ended")
            finally:
                service.kill()
                service.wait()
                service.stdout.close()

    def test_there_are_examples_of_every_command(self):
        shown = {shlex.split(command)[1] for command in examples()}
        self.assertEqual(shown, {"dump", "doctor", "info", "types", "objects", "show", "cycles", "garbage",
                                 "dominators", "export", "verify", "stack", "path", "diff", "leaks", "watch"})

    def test_the_examples_run_with_every_python(self):
        self.assertTrue(PYTHONS, "OURO_TEST_PYTHONS names no interpreter")
        for python in PYTHONS:
            with self.subTest(python):
                self.examples_run_with(python)


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1])
