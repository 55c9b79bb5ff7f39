// Runs containerd's own conformance suite for snapshotters against a server on a unix socket.
package conformance

import (
	"context"
	"os"
	"testing"

	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/proxy"
	"github.com/containerd/containerd/v2/core/snapshots/testsuite"
	_ "github.com/containerd/containerd/v2/pkg/testutil" // defines -test.root
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// The suite knows by this name that overlayfs does not rename directories of lower layers.
const suiteName = "overlayfs"

// The cases share one server, as they would share a containerd; no two of them use the same names.
func TestConformance(t *testing.T) {
	address := os.Getenv("FORAGE_SNAPSHOTTER")
	if address == "" {
		t.Fatal("FORAGE_SNAPSHOTTER is not set: the socket of the snapshotter")
	}
	testsuite.SnapshotterSuite(t, suiteName, func(ctx context.Context, root string) (snapshots.Snapshotter, func() error, error) {
		connection, err := grpc.NewClient("unix://"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, nil, err
		}
		return proxy.NewSnapshotter(snapshotsapi.NewSnapshotsClient(connection), "forage"), connection.Close, nil
	})
}
