package clients

import (
	"context"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/cachegen/cachegen/cache"
	"github.com/cachegen/cachegen/cache/cachetest"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	grpchealth "google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
)

// through runs the call in a server's handler, with the context that it gets.
type through struct {
	*grpchealth.Server
	call func(context.Context)
}

func (s *through) List(ctx context.Context, _ *grpc_health_v1.HealthListRequest) (*grpc_health_v1.HealthListResponse, error) {
	s.call(ctx)
	return &grpc_health_v1.HealthListResponse{}, nil
}

// TestClients calls services over real connections. A result is kept where the context has
// none of the values that the client asks for, whatever else it has; where it has one, the
// call gets neither the result that is kept nor gives its own to others.
func TestClients(t *testing.T) {
	cachetest.Isolate(t)
	log.SetOutput(io.Discard) // what is not kept
	defer log.SetOutput(os.Stderr)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	inside := &through{Server: grpchealth.NewServer()}
	srv := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(srv, inside)
	go func() { _ = srv.Serve(l) }()
	defer srv.Stop()
	if conn, err = grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"access_token": "t"}`)
			return
		}
		io.WriteString(w, r.URL.Path+r.Header.Get("Baggage"))
	}))
	defer hs.Close()
	server = hs.URL
	bucket = s3.New(s3.Options{Region: "eu", BaseEndpoint: aws.String(hs.URL), UsePathStyle: true, Credentials: aws.AnonymousCredentials{}})
	logger = slog.New(withID{slog.NewTextHandler(io.Discard, nil)})
	m, _ := baggage.NewMember("user", "ada")
	b, _ := baggage.New(m)

	bg := context.Background()
	traced := trace.ContextWithSpanContext(bg, trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}}))
	logged := func(ctx context.Context) (string, error) { Logs(ctx, 1); return "", nil }
	named := func(ctx context.Context) (string, error) { LogsNamed(ctx, 1); return "", nil }
	member := func(ctx context.Context) (string, error) { return Member(ctx, "user"), nil }
	on := func(f func(context.Context, string) (string, error), arg string) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) { return f(ctx, arg) }
	}
	withBaggage := baggage.ContextWithBaggage(bg, b)
	withID := context.WithValue(bg, requestID{}, "r1")
	for _, c := range []struct {
		name    string
		call    func(context.Context) (string, error)
		none    string          // the result without the value
		matters context.Context // has a value that counts
		with    string          // the result with it
		beside  context.Context // has values that do not matter
	}{
		{"gRPC", on(Health, ""), "SERVING", metadata.AppendToOutgoingContext(bg, "user", "ada"), "SERVING", metadata.NewIncomingContext(traced, metadata.Pairs("user", "ada"))},
		{"gRPC stream", on(Watched, ""), "SERVING", metadata.AppendToOutgoingContext(bg, "user", "ada"), "SERVING", traced},
		{"oauth2", on(Authorized, "/x"), "/x", context.WithValue(bg, oauth2.HTTPClient, &http.Client{}), "/x", traced},
		{"oauth2 token", on(Exchanged, "code"), "t", context.WithValue(bg, oauth2.HTTPClient, &http.Client{}), "t", withBaggage},
		{"propagation", on(Propagated, "/x"), "/x", withBaggage, "/xuser=ada", traced},
		{"S3", on(Object, "k"), "/b/k", nil, "", metadata.AppendToOutgoingContext(withBaggage, "user", "ada")},
		{"baggage", member, "", withBaggage, "ada", withID},
		{"slog", logged, "", withID, "", withBaggage},
		{"slog, named", named, "", nil, "", withID},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := func(ctx context.Context, result string, n int64) {
				t.Helper()
				runs.Store(0)
				for range 3 {
					if got, err := c.call(ctx); err != nil || got != result {
						t.Errorf("%q, %v", got, err)
					}
				}
				if got := runs.Load(); got != n {
					t.Errorf("%d computations, not %d", got, n)
				}
			}
			calls(bg, c.none, 1)
			calls(c.beside, c.none, 0)
			inside.call = func(ctx context.Context) { calls(ctx, c.none, 0) }
			if _, err := grpc_health_v1.NewHealthClient(conn).List(metadata.AppendToOutgoingContext(bg, "user", "ada"), nil); err != nil {
				t.Error(err)
			}
			if c.matters != nil {
				calls(c.matters, c.with, 3)
			}
			calls(bg, c.none, 0)
		})
	}
	t.Run("slog, registered", func(t *testing.T) {
		runs.Store(0)
		cache.IgnoreContextKey(requestID{})
		for range 3 {
			Logs(withID, 2)
		}
		if n := runs.Load(); n != 1 {
			t.Errorf("%d computations", n)
		}
	})
}
