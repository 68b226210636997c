"""CPU of bursard a check with a key, and with a key over TLS, beside the same without; and how long wrong keys take."""
import contextlib
import pathlib
import random
import statistics
import string
import time

import grpc
from certificates import Authority
from harness import protos
from harness.process import temp_dir
from measuring.figures import column, interleave, ratio, spread, table
from measuring.processes import cpu_us


def kinds(admin, pb, metadata):
    right = admin.CreateKey(pb.CreateKeyRequest(role=2), metadata=metadata, timeout=20).secret
    revoked = admin.CreateKey(pb.CreateKeyRequest(role=2), metadata=metadata, timeout=20)
    admin.RevokeKey(pb.RevokeKeyRequest(id=revoked.key.id), metadata=metadata, timeout=20)
    alphabet = string.ascii_letters + string.digits
    return {
        "random": lambda: "bsk_" + "".join(random.choices(alphabet, k=len(right) - 4)),
        "right but for its end": lambda: right[:-1] + random.choice([c for c in alphabet if c != right[-1]]),
        "revoked": lambda: revoked.secret,
    }


def refusals(channel, operator, calls):
    """{kind: quartiles of a refusal in µs}: of a key by chance, one that is right but for its last character, and one that was revoked.

    All but the first ten are answered RESOURCE_EXHAUSTED; the way there is the same."""
    admin = protos.admin_pb2_grpc.AdminStub(channel)
    limiter = protos.limiter_pb2_grpc.LimiterStub(channel)
    wrong = kinds(admin, protos.admin_pb2, [("authorization", "Bearer " + operator)])
    request, times = protos.limiter_pb2.GetStatusRequest(user="ann"), {kind: [] for kind in wrong}
    for turn in range(calls + 200):
        for kind in random.sample(list(wrong), len(wrong)):
            metadata = [("authorization", "Bearer " + wrong[kind]())]
            begun = time.perf_counter()
            try:
                limiter.GetStatus(request, metadata=metadata, timeout=20)
                raise AssertionError("a wrong key was let in")
            except grpc.RpcError:
                if turn >= 200:
                    times[kind].append((time.perf_counter() - begun) * 1e6)
    return {kind: statistics.quantiles(figures, n=4) for kind, figures in times.items()}


def secure_channel(server, authority):
    return grpc.secure_channel(server.grpc_addr, grpc.ssl_channel_credentials(authority.cert.read_bytes()))


def operator_key(channel):
    admin = protos.admin_pb2_grpc.AdminStub(channel)
    return admin.CreateKey(protos.admin_pb2.CreateKeyRequest(role=5)).secret


def run(bench):
    calls = bench.scaled(30_000)
    authority = Authority(pathlib.Path(temp_dir("authority")), "authority")
    cert, key = authority.issue("bursard")
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(bench.bursard(roles="serve,http", **options))[0] for name, options in
                   (("open", {}), ("key", {}), ("tls", {"tls_cert": cert, "tls_key": key}))}
        with grpc.insecure_channel(servers["key"].grpc_addr) as channel:
            plain = {"BURSAR_KEY": operator_key(channel)}
        with secure_channel(servers["tls"], authority) as channel:
            tls = {"BURSAR_KEY": operator_key(channel), "BURSAR_TLS_CA": str(authority.cert)}

        def side(server, env):
            bench.load(server.grpc_addr, env, calls=5000)
            return lambda _: cpu_us({"server": server.pid}, calls, lambda: bench.load(server.grpc_addr, env, calls=calls, in_flight=100))

        found = interleave(bench.rounds, {name: side(servers[name], env) for name, env in (("open", {}), ("key", plain), ("tls", tls))})
        with grpc.insecure_channel(servers["key"].grpc_addr) as channel:
            refused = refusals(channel, plain["BURSAR_KEY"], bench.scaled(5000))
    used = {name: column(figures, "server") for name, figures in found.items()}
    rows = [(f"check, {name}, µs", spread(figures)) for name, figures in used.items()]
    rows += [(f"**{name} / open**", ratio(used[name], used["open"])) for name in ("key", "tls")]
    rows += [(f"wrong key, {kind}, µs: median (quartiles), **/ random**",
              f"{median:.0f} ({low:.0f}..{high:.0f}), **{median / refused['random'][1]:.3f}**") for kind, (low, median, high) in refused.items()]
    table("Keys and TLS", "auth", rows)
