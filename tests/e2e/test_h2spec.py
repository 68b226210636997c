"""HTTP/2 as h2spec (a Go module) has it: 146 ways to break the protocol, and what a server has to answer. For the carrier nghttp2; gRPC
core does not care about a third of them."""
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from certificates import Authority
from harness.foreign import go_program

pytestmark = pytest.mark.patience(1800)  # it may have to be compiled


@pytest.mark.parametrize("tls", (False, True), ids=("plain", "tls"))
def test_http2_is_as_h2spec_wants_it(start_bursard, tmp_path, tls):
    h2spec, report, options, flags = go_program("github.com/summerwind/h2spec/cmd/h2spec"), tmp_path / "report.xml", {}, []
    if tls:
        options["tls_cert"], options["tls_key"] = Authority(tmp_path, "authority").issue("bursard")
        flags = ["-t", "-k"]
    host, port = start_bursard(carrier="nghttp2", **options).grpc_addr.rsplit(":", 1)
    # The time is how long it waits for what it expects.
    done = subprocess.run([h2spec, "-h", host, "-p", port, "-P", "/grpc.health.v1.Health/Check", "-o", "20", "-S", "-j", report, *flags],
                          capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stdout[done.stdout.find("Failures:"):]
    cases = [case for case in ElementTree.parse(report).iter("testcase") if case.find("skipped") is None]
    assert len(cases) == 146
