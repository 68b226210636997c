"""A Redis that may be replaced by a replica of its own while servers use it."""
import os

from harness import Redis, until
from harness.ports import free_port


class FailsOver:
    """Servers connect to `url`, a name for the Redis that is the primary now. `options`: those of every Redis."""

    def __init__(self, **options):
        self.options, self.old = options, []
        self.redis = self.new_redis()
        self.link = os.path.join(self.redis.directory, "primary")
        self.url = "unix://" + self.link
        os.symlink(self.redis.socket, self.link)

    def new_redis(self):
        return Redis(settings={"port": free_port(), "repl-diskless-sync-delay": 0}, **self.options)

    def replica(self):
        """Another Redis that follows the primary, and has all it had."""
        replica = self.new_redis()
        replica.client.replicaof("127.0.0.1", self.redis.settings["port"])
        until(lambda: replica.client.info("replication")["master_link_status"] == "up", "the replica being in step")
        return replica

    def promote(self, replica):
        self.redis.kill()
        os.unlink(self.link)
        os.symlink(replica.socket, self.link)
        self.old.append(self.redis)
        self.redis = replica
