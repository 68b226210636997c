"""Many watchers in a process of its own: watchers.py grpc|http ADDRESS COUNT prints how many messages they have heard, again and again."""
import asyncio
import contextlib
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests")]


async def read_events(address, heard):
    host, port = address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 20)
    writer.write(b"GET /v1/watch?interval_us=1000000&max_events=10 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    last = b""
    while line := await reader.readline():
        heard[0] += line.startswith(b"data:")
        last = line.strip() or last
    raise EOFError(f"{heard[0]} {last[:300]}")


async def read_messages(stub, request, heard):
    async for _ in stub.Watch(request):
        heard[0] += 1


async def watch(carrier, address, count):
    heard = [0]
    if carrier == "http":
        readers = [read_events(address, heard) for _ in range(count)]
    else:
        import grpc
        from harness import protos
        channel = grpc.aio.insecure_channel(address)
        stub, request = protos.admin_pb2_grpc.AdminStub(channel), protos.admin_pb2.WatchRequest(interval_us=1_000_000, max_events=10)
        readers = [read_messages(stub, request, heard) for _ in range(count)]
    tasks = [asyncio.ensure_future(reader) for reader in readers]
    with contextlib.suppress(BrokenPipeError):
        while not any(task.done() for task in tasks):
            print(heard[0], flush=True)
            await asyncio.sleep(0.05)
    for task in tasks:
        if task.done():
            task.result()


if __name__ == "__main__":
    asyncio.run(watch(sys.argv[1], sys.argv[2], int(sys.argv[3])))
