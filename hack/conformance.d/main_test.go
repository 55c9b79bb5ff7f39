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
	connection, err := grpc.NewClient("unix://"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	snapshotter := proxy.NewSnapshotter(snapshotsapi.NewSnapshotsClient(connection), "forage")
	before := names(t, snapshotter)
	t.Cleanup(func() {
		removeOthers(t, snapshotter, before)
		connection.Close()
	})
	testsuite.SnapshotterSuite(t, suiteName, func(context.Context, string) (snapshots.Snapshotter, func() error, error) {
		return snapshotter, func() error { return nil }, nil
	})
}

// names lists the snapshots that are there.
func names(t *testing.T, snapshotter snapshots.Snapshotter) map[string]bool {
	found := map[string]bool{}
	err := snapshotter.Walk(context.Background(), func(_ context.Context, info snapshots.Info) error {
		found[info.Name] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// removeOthers removes all snapshots that the cases have left, so that the suite can run again on the same server. A
// round removes those without children.
func removeOthers(t *testing.T, snapshotter snapshots.Snapshotter, kept map[string]bool) {
	for removed := true; removed; {
		removed = false
		for name := range names(t, snapshotter) {
			if !kept[name] && snapshotter.Remove(context.Background(), name) == nil {
				removed = true
			}
		}
	}
	if left := len(names(t, snapshotter)); left != len(kept) {
		t.Errorf("%d snapshots are left, %d were there before", left, len(kept))
	}
}
