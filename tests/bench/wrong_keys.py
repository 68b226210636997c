"""How long a wrong key takes to be refused: one by chance, one that is right but for its last character, and one that was revoked."""
import random
import statistics
import string
import time

import grpc

CALLS = 5000


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


def measure(channel, protos, operator):
    """{kind: (median, quartiles) of a refusal in µs}. All but the first ten are answered RESOURCE_EXHAUSTED; the way there is the same."""
    admin = protos.admin_pb2_grpc.AdminStub(channel)
    limiter = protos.limiter_pb2_grpc.LimiterStub(channel)
    wrong = kinds(admin, protos.admin_pb2, [("authorization", "Bearer " + operator)])
    request, times = protos.limiter_pb2.GetStatusRequest(user="ann"), {kind: [] for kind in wrong}
    for turn in range(CALLS + 200):
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
