#!/bin/bash
# What functions keep in Lua is outside maxmemory.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$dir"' EXIT
redis() { redis-cli -s "$dir/s" "$@" 2>&1; }
mib() { redis info memory | tr -d '\r' | awk -F: -v name="$1" '$1 == name {print int($2 / 1048576)}'; }

echo "Software: Redis $(redis-server --version | grep -o 'v=[0-9.]*' | cut -c3-) (Debian); seen on 7.0.15"
echo "Guess:    a cache that a function library keeps in a Lua table counts towards maxmemory: with noeviction and 32 MiB, a cache"
echo "          of 100 MiB makes Redis refuse writes, and used_memory shows it."

redis-server --port 0 --unixsocket "$dir/s" --save '' --dir "$dir" --maxmemory 32mb --maxmemory-policy noeviction >"$dir/log" 2>&1 &
until redis ping >/dev/null; do sleep 0.1; done
redis -x function load >/dev/null <<'LUA'
#!lua name=cache
local kept = {}
redis.register_function('keep', function(_, args)
	kept[#kept + 1] = args[1] .. string.rep('.', 1048576)
	return #kept
end)
LUA
for ((i = 0; i < 100; i++)); do redis fcall keep 0 "$i" >/dev/null; done
vm=$(mib used_memory_vm_functions) used=$(mib used_memory)
seen=$(
	echo "kept by the library:                    100 MiB"
	echo "used_memory_vm_functions, 100 or more:  $([ "$vm" -ge 100 ] && echo yes || echo "no: $vm")"
	echo "used_memory, MiB, less than 16:         $([ "$used" -lt 16 ] && echo yes || echo "no: $used")"
	echo "SET, beyond maxmemory three times over: $(redis set key value | awk NF)"
)
echo "Seen:"
echo "$seen"
echo "Matters:  a limiter that compiles or caches its policies inside the library can take all memory of the machine, and neither"
echo "          maxmemory nor an alarm on used_memory says so. Bound the cache in the library, and watch used_memory_vm_functions."
[ "$seen" = "kept by the library:                    100 MiB
used_memory_vm_functions, 100 or more:  yes
used_memory, MiB, less than 16:         yes
SET, beyond maxmemory three times over: OK" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
