"""Certificates of one's own, by openssl."""
import os
import subprocess

from harness.clock import Clock

DAY_S = 86_400


def openssl(*args, clock=None):
    env = {**os.environ, **clock.env()} if clock else None
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, timeout=60, check=False, env=env)
    assert done.returncode == 0, done.stderr


class Authority:
    """Signs certificates, in files of `directory`."""

    def __init__(self, directory, name):
        self.directory, self.serial = directory, 0
        self.cert, self.key = directory / f"{name}.pem", directory / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", self.key, "-out", self.cert)

    def issue(self, name, days=2, alternative="IP:127.0.0.1", expired=False, early=False):
        """(certificate, key): paths. Expired: signed so long ago that it has run out; openssl 3.5 takes no end in the past. Early: it counts
        from tomorrow on."""
        clock = Clock() if expired or early else None
        if clock:
            clock.advance(DAY_S if early else -(days + 1) * DAY_S)
        self.serial += 1
        stem = self.directory / f"{self.cert.stem}-{self.serial}"
        key, request, cert, extra = (stem.with_suffix(end) for end in (".key", ".csr", ".pem", ".ext"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        extra.write_text(f"subjectAltName={alternative}\n" if alternative else "basicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-set_serial", 1000 + self.serial, "-days", days,
                "-extfile", extra, "-out", cert, clock=clock)
        return cert, key
