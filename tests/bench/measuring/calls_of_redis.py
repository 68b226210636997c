"""The function call that bursard sends to Redis for a check, to be repeated without bursard; and scripts to compare it with."""
import itertools

ONE_BUCKET = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local state = redis.call('HMGET', KEYS[1], 'full', 'burst')
local full = tonumber(state[1]) or 0
if full < now then full = now end
local next = full + tonumber(ARGV[1])
if next - now > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'full', string.format('%.0f', next))
return 1
"""
SERIAL = b"000000000000"  # as tests/bench/open_loop replaces it
LATEST = 7  # bytes of the request's last field (lua/check.lua): after this time Redis refuses to decide; 0 = never


def captured_check(bench, server, redis):
    """The FCALL of one check, from MONITOR, to be sent again at any time."""
    connection = redis.client.connection_pool.make_connection()
    connection.connect()
    connection.send_command("MONITOR")
    connection.read_response()
    bots = bench.bots(server)
    bots.check("warm", timeout=120, request_id="captured-" + SERIAL.decode(), interface="telegram", model="gpt-4o",
               input_tokens=100, max_output_tokens=50)
    bots.close()
    while True:
        line = connection.read_response()
        if b'"FCALL"' in line.upper() and b"_check_" in line and SERIAL in line:
            connection.disconnect()
            parts = unescaped(line[line.index(b'"'):])
            request = 3 + int(parts[2])  # after FCALL, the function, and how many keys there are, the keys
            parts[request] = parts[request][:-LATEST] + bytes(LATEST)
            return Check(parts)


def unescaped(line):
    """MONITOR's quoted arguments as bytes."""
    letters = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}
    parts, i = [], 0
    while i < len(line):
        if line[i:i + 1] != b'"':
            i += 1
            continue
        i, part = i + 1, bytearray()
        while line[i:i + 1] != b'"':
            if line[i:i + 1] != b"\\":
                part += line[i:i + 1]
                i += 1
            elif line[i + 1:i + 2] == b"x":
                part.append(int(line[i + 2:i + 4], 16))
                i += 4
            else:
                part += letters.get(line[i + 1:i + 2], line[i + 1:i + 2])
                i += 2
        parts.append(bytes(part))
        i += 1
    return parts


class Check:
    """A captured check: the arguments of its FCALL. Its request id ends in SERIAL, and is a new one each time."""

    def __init__(self, parts):
        self.parts, self.numbers = parts, itertools.count(1)

    def command(self):
        serial = b"%012d" % next(self.numbers)
        return [part.replace(SERIAL, serial) for part in self.parts]

    def write(self, path):
        """As the protocol has it, for tests/bench/open_loop."""
        path.write_bytes(b"*%d\r\n" % len(self.parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in self.parts))

    def reserve(self, count):
        """The first of so many numbers that nobody else uses."""
        first = next(self.numbers)
        self.numbers = itertools.count(first + count)
        return first


def commands(redis, check):
    """{what: what makes a command of it}: a script of nothing, one of one bucket, a check."""
    nothing, bucket = redis.client.script_load("return 1"), redis.client.script_load(ONE_BUCKET)
    numbers = itertools.count()
    return {
        "nothing": lambda: ("EVALSHA", nothing, 0),
        "bucket": lambda: ("EVALSHA", bucket, 1, f"one:{next(numbers) % 1000}", 10, 10**15),
        "check": check.command,
    }


def admitted(answer):
    """Whether a script returned 1, or a check ALLOWED: what was refused at once has cost less."""
    return answer == 1 or isinstance(answer, bytes) and answer[0] == 0


def send(redis, command, calls, depth=16):
    """So many of the commands that command() makes, `depth` at a time."""
    pipe = redis.client.pipeline(transaction=False)
    for _ in range(0, calls, depth):
        for _ in range(depth):
            pipe.execute_command(*command())
        answers = pipe.execute()
        assert all(map(admitted, answers)), answers
