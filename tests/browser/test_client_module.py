"""The browser client's own tests, which are JavaScript, in Node's own runner."""

import shutil
import subprocess

from tests.local_site import ROOT, required


def test_the_browser_client() -> None:
    node = shutil.which("node")
    if node is None:
        required("Node (node)")
    command = [str(node), "--test", "tests/browser/client.test.mjs"]
    run = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
