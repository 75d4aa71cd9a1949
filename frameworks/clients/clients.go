// Package clients has cached functions that call services through the clients that people use,
// each with its context, which those clients ask for much.
package clients

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
)

//go:generate go tool cachegen ./...

// runs counts how often a body ran.
var runs atomic.Int64

// What the functions call, which is set before they are.
var (
	conn   *grpc.ClientConn
	bucket *s3.Client
	server string // its URL
	logger *slog.Logger
)

// health is a unary call over gRPC.
//
//cache:data
func health(ctx context.Context, service string) (string, error) {
	runs.Add(1)
	r, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
	if err != nil {
		return "", err
	}
	return r.Status.String(), nil
}

// watched is the first message of a stream over gRPC.
//
//cache:data
func watched(ctx context.Context, service string) (string, error) {
	runs.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := grpc_health_v1.NewHealthClient(conn).Watch(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
	if err != nil {
		return "", err
	}
	r, err := s.Recv()
	if err != nil {
		return "", err
	}
	return r.Status.String(), nil
}

// authorized asks with a token.
//
//cache:data
func authorized(ctx context.Context, path string) (string, error) {
	runs.Add(1)
	c := oauth2.NewClient(ctx, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "t"}))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+path, nil)
	if err != nil {
		return "", err
	}
	return text(c.Do(req))
}

// exchanged asks for a token first.
//
//cache:data
func exchanged(ctx context.Context, code string) (string, error) {
	runs.Add(1)
	c := oauth2.Config{ClientID: "id", Endpoint: oauth2.Endpoint{TokenURL: server + "/token"}}
	t, err := c.Exchange(ctx, code)
	if err != nil {
		return "", err
	}
	return t.AccessToken, nil
}

// propagated asks with the headers of a trace and of baggage.
//
//cache:data
func propagated(ctx context.Context, path string) (string, error) {
	runs.Add(1)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+path, nil)
	if err != nil {
		return "", err
	}
	propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}).Inject(ctx, propagation.HeaderCarrier(req.Header))
	return text(http.DefaultClient.Do(req))
}

// object is one of S3.
//
//cache:data
func object(ctx context.Context, key string) (string, error) {
	runs.Add(1)
	o, err := bucket.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String(key)})
	if err != nil {
		return "", err
	}
	defer func() { _ = o.Body.Close() }()
	b, err := io.ReadAll(o.Body)
	return string(b), err
}

// member is what baggage says.
//
//cache:data
func member(ctx context.Context, name string) string {
	runs.Add(1)
	return baggage.FromContext(ctx).Member(name).Value()
}

// requestID is the key of a context value that logs show.
type requestID struct{}

// withID is a handler of logs as people write them.
type withID struct{ slog.Handler }

func (h withID) Handle(ctx context.Context, r slog.Record) error {
	if id, ok := ctx.Value(requestID{}).(string); ok {
		r.AddAttrs(slog.String("id", id))
	}
	return h.Handler.Handle(ctx, r)
}

// logs logs.
//
//cache:data
func logs(ctx context.Context, n int) int {
	runs.Add(1)
	logger.InfoContext(ctx, "logs", "n", n)
	return n
}

// logsNamed logs, and its directive says that the ID does not matter.
//
//cache:data ctx=ignore:requestID
func logsNamed(ctx context.Context, n int) int {
	runs.Add(1)
	logger.InfoContext(ctx, "logs", "n", n)
	return n
}

func text(r *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	return string(b), err
}
