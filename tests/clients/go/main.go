// A client of Bursar on grpc-go, for tests/e2e/test_grpc_clients.py. It knows the messages from a set of descriptors only.
//
//	client ADDRESS DESCRIPTORS [CA] <script
//
// Standard input is JSON, one call a line; standard output answers each, in order:
//
//	{"method": "bursar.v1.Limiter/Check", "requests": [{...}], "metadata": {"authorization": "Bearer ..."}, "timeout": 20, "take": 3}
//	{"messages": [{...}], "code": 0, "text": "", "details": [{"@type": "...", ...}], "headers": {...}, "trailers": {...}}
//
// A stream is cancelled after `take` messages; without it, it is read to its end. All calls share one connection.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

type order struct {
	Method   string            `json:"method"`
	Requests []json.RawMessage `json:"requests"`
	Metadata map[string]string `json:"metadata"`
	Timeout  float64           `json:"timeout"`
	Take     int               `json:"take"`
}

type outcome struct {
	Messages []json.RawMessage `json:"messages"`
	Code     uint32            `json:"code"`
	Text     string            `json:"text"`
	Details  []json.RawMessage `json:"details"`
	Headers  metadata.MD       `json:"headers"`
	Trailers metadata.MD       `json:"trailers"`
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func readDescriptors(path string) *protoregistry.Files {
	bytes, err := os.ReadFile(path)
	fail(err)
	var set descriptorpb.FileDescriptorSet
	fail(proto.Unmarshal(bytes, &set))
	files, err := protodesc.NewFiles(&set)
	fail(err)
	return files
}

func connect(address, ca string) *grpc.ClientConn {
	safe := insecure.NewCredentials()
	if ca != "" {
		var err error
		safe, err = credentials.NewClientTLSFromFile(ca, "")
		fail(err)
	}
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(safe))
	fail(err)
	return connection
}

func find(files *protoregistry.Files, method string) protoreflect.MethodDescriptor {
	service, name, _ := strings.Cut(method, "/")
	found, err := files.FindDescriptorByName(protoreflect.FullName(service))
	fail(err)
	return found.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(name))
}

func text(message proto.Message) json.RawMessage {
	bytes, err := protojson.Marshal(message)
	fail(err)
	return bytes
}

// What has ended the call.
func (o *outcome) end(err error) {
	if err == nil || err == io.EOF {
		return
	}
	state := status.Convert(err)
	o.Code, o.Text = uint32(state.Code()), state.Message()
	for _, detail := range state.Proto().GetDetails() {
		o.Details = append(o.Details, text(detail))
	}
}

func call(connection *grpc.ClientConn, files *protoregistry.Files, o order) (out outcome) {
	out.Messages, out.Details = []json.RawMessage{}, []json.RawMessage{}
	method := find(files, o.Method)
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(context.Background(), metadata.New(o.Metadata)),
		time.Duration(o.Timeout*float64(time.Second)))
	defer cancel()
	kind := grpc.StreamDesc{ServerStreams: true, ClientStreams: method.IsStreamingClient()}
	stream, err := connection.NewStream(ctx, &kind, "/"+o.Method)
	for i := 0; err == nil && i < len(o.Requests); i++ {
		request := dynamicpb.NewMessage(method.Input())
		fail(protojson.Unmarshal(o.Requests[i], request))
		err = stream.SendMsg(request)
	}
	if err == nil || err == io.EOF {
		err = stream.CloseSend()
	}
	for err == nil {
		answer := dynamicpb.NewMessage(method.Output())
		if err = stream.RecvMsg(answer); err == nil {
			out.Messages = append(out.Messages, text(answer))
			if len(out.Messages) == o.Take {
				cancel()
			}
		}
	}
	out.end(err)
	if stream != nil {
		out.Headers, _ = stream.Header()
		out.Trailers = stream.Trailer()
	}
	return out
}

func main() {
	ca := ""
	if len(os.Args) > 3 {
		ca = os.Args[3]
	}
	files, connection := readDescriptors(os.Args[2]), connect(os.Args[1], ca)
	defer connection.Close()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var o order
		fail(json.Unmarshal(lines.Bytes(), &o))
		fail(answers.Encode(call(connection, files, o)))
	}
	fail(lines.Err())
}
