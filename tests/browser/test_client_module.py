"""The browser client's own tests, which are JavaScript, in Node's own runner."""

import shutil
import subprocess

from tests.local_site import ROOT, required


def test_the_browser_client() -> None:
    node = shutil.which("node")
    if node is None:
        required("Node (node)")
    files = sorted(ROOT.glob("tests/browser/client/*.test.mjs"))
    assert len(files) == 6
    command = [str(node), "--test", *map(str, files)]
    run = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
