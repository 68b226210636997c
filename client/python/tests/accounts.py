"""Short words for what tests put."""
import itertools

from bursar.v1 import admin_pb2, types_pb2

_numbers = itertools.count(1)


def unique(prefix):
    return f"{prefix}-{next(_numbers)}"


def bucket(amount, dimension="REQUESTS", period_us=3_600_000_000, **fields):
    return types_pb2.Limit(dimension=types_pb2.Dimension.Value("DIMENSION_" + dimension), kind=types_pb2.LIMIT_KIND_BUCKET, amount=amount,
                           period_us=period_us, **fields)


def per_day(amount, dimension="REQUESTS", **fields):
    return types_pb2.Limit(dimension=types_pb2.Dimension.Value("DIMENSION_" + dimension), kind=types_pb2.LIMIT_KIND_CALENDAR, amount=amount,
                           window=types_pb2.CALENDAR_WINDOW_DAY, **fields)


async def user_with(bursar, *limits, **tier):
    """A new user on a new tier of just these limits."""
    name, user = unique("tier"), unique("user")
    await bursar.admin.put_tier(tier=admin_pb2.Tier(name=name, limits=limits, **tier))
    await bursar.admin.put_account(ref=admin_pb2.AccountRef(id=user), tier=name)
    return user


async def used(bursar, user):
    """Use of the first limit."""
    return (await bursar.status(user=user)).limits[0].used


async def held(bursar, user):
    """The user's open reservations."""
    return list((await bursar.admin.list_reservations(user=user)).reservations)


async def pool(bursar, slots=1, **fields):
    """A new pool."""
    name = unique("pool")
    await bursar.admin.put_pool(ref=admin_pb2.PoolRef(name=name), slots=slots, **fields)
    return bursar.pool(name)


async def in_pool(bursar, of):
    """(running, waiting) of a pool."""
    stats = await bursar.admin.get_pool_stats(ref=admin_pb2.PoolRef(name=of.name))
    return stats.running, stats.waiting
