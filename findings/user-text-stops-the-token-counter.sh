#!/bin/bash
# A user writes <|endoftext|> to a bot that counts tokens before it asks.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: gpt-tokenizer 4.0.0 (npm), tiktoken 0.14.0 (PyPI; here with a vocabulary of single bytes)"
echo "Guess:    whatever a user writes is counted as text; a token counter has no reason to fail."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" tiktoken==0.14.0 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund gpt-tokenizer@4.0.0 >&2)
cat >"$dir/probe.js" <<'EOF'
const { countTokens, isWithinTokenLimit } = require('gpt-tokenizer');
for (const [name, call] of Object.entries({ countTokens, isWithinTokenLimit: text => isWithinTokenLimit(text, 100) })) {
	try { console.log(`gpt-tokenizer ${name}:`, call('What does <|endoftext|> mean?')); } catch (e) { console.log(`gpt-tokenizer ${name}: throws`); }
}
console.log('gpt-tokenizer countTokens, allowed as text:', countTokens('What does <|endoftext|> mean?', { disallowedSpecial: new Set() }));
EOF
cat >"$dir/probe.py" <<'EOF'
import tiktoken

encoding = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={"<|endoftext|>": 256})
for call in (encoding.encode, encoding.encode_ordinary):
    try:
        print(f"tiktoken {call.__name__}:", len(call("What does <|endoftext|> mean?")))
    except ValueError:
        print(f"tiktoken {call.__name__}: raises ValueError")
EOF
seen=$(cd "$dir" && node probe.js && PYTHONPATH="$dir/py" python3 "$dir/probe.py")
echo "Seen:"
echo "$seen"
echo "Matters:  anybody can make the estimate before the check throw, and a handler that treats this as 'limiter broken' either refuses"
echo "          them or lets them through uncounted. Use encode_ordinary or disallowedSpecial, and never let a failed estimate decide."
[ "$seen" = "gpt-tokenizer countTokens: throws
gpt-tokenizer isWithinTokenLimit: throws
gpt-tokenizer countTokens, allowed as text: 11
tiktoken encode: raises ValueError
tiktoken encode_ordinary: 29" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
