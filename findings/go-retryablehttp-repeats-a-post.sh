#!/bin/bash
# A paid POST that fails or is refused, by hashicorp/go-retryablehttp.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: github.com/hashicorp/go-retryablehttp v0.7.8 (Go module)"
echo "Guess:    a POST is not repeated after a 500, because it may have been done; RetryWaitMax bounds every pause; after the last try the"
echo "          caller gets the server's answer, with its status and headers."

export GOPATH="$dir/go" GOFLAGS=-modcacherw
cat >"$dir/go.mod" <<'EOF'
module probe

go 1.23

require github.com/hashicorp/go-retryablehttp v0.7.8
EOF
cat >"$dir/probe.go" <<'EOF'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	retry "github.com/hashicorp/go-retryablehttp"
)

func main() {
	for _, wanted := range []struct {
		status int
		after  string
	}{{500, ""}, {429, "2"}, {409, ""}} {
		asked := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked++
			if wanted.after != "" {
				w.Header().Set("Retry-After", wanted.after)
			}
			w.WriteHeader(wanted.status)
		}))
		client := retry.NewClient()
		client.Logger, client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = nil, 2, 10*time.Millisecond, 500*time.Millisecond
		request, _ := retry.NewRequest("POST", server.URL, strings.NewReader("{}"))
		start := time.Now()
		answer, err := client.Do(request)
		told := "a response"
		if answer == nil {
			told = "no response, only '" + err.Error()[strings.Index(err.Error(), "giving"):] + "'"
		}
		fmt.Printf("POST, %d, Retry-After '%s', RetryWaitMax 0.5 s: %d requests in %.0f s, the caller gets %s\n", wanted.status, wanted.after, asked,
			time.Since(start).Seconds(), told)
		server.Close()
	}
}
EOF
seen=$(cd "$dir" && go mod tidy 2>"$dir/log" && go run probe.go)
echo "Seen:"
echo "$seen"
echo "Matters:  five requests by default may all be paid for, without a key that lets the provider recognise them. The caller cannot tell"
echo "          a refusal from an outage, and does not learn when to come back; a Retry-After of an hour is slept through, whatever"
echo "          RetryWaitMax says. Set CheckRetry by method, a Backoff with a bound, and ErrorHandler = PassthroughErrorHandler."
[ "$seen" = "POST, 500, Retry-After '', RetryWaitMax 0.5 s: 3 requests in 0 s, the caller gets no response, only 'giving up after 3 attempt(s)'
POST, 429, Retry-After '2', RetryWaitMax 0.5 s: 3 requests in 4 s, the caller gets no response, only 'giving up after 3 attempt(s)'
POST, 409, Retry-After '', RetryWaitMax 0.5 s: 1 requests in 0 s, the caller gets a response" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
