import t from 'tap';
import { namespaceOf, overlayIn } from './container.ts';

const MOUNTS = `22 1 0:21 / / rw - ext4 /dev/sda1 rw
70 22 0:50 / /run/c1/rootfs rw,relatime - overlay overlay rw,lowerdir=/run/forage/l/0006:/run/forage/l/0005,upperdir=/var/lib/forage/snapshots/7/fs,workdir=/w
71 22 0:51 / /run/with\\040blank/rootfs rw - overlay overlay rw,lowerdir=/a,upperdir=/up\\040per,workdir=/w
72 22 0:52 / /run/plain/rootfs rw - ext4 /dev/sdb rw
73 22 0:53 / /run/view/rootfs ro - overlay overlay ro,lowerdir=/a:/b
74 22 0:54 / /run/twice/rootfs rw - ext4 /dev/sdb rw
75 22 0:55 / /run/twice/rootfs rw - overlay overlay rw,lowerdir=/x,upperdir=/u,workdir=/w
`;

t.test('the overlay at a mount point: its lowers, nearest first, and its upper directory', async (t) => {
  t.same(overlayIn(MOUNTS, '/run/c1/rootfs'), {
    lowers: ['/run/forage/l/0006', '/run/forage/l/0005'],
    upper: '/var/lib/forage/snapshots/7/fs',
  });
  t.same(overlayIn(MOUNTS, '/run/with blank/rootfs'), { lowers: ['/a'], upper: '/up per' });
  t.same(overlayIn(MOUNTS, '/run/view/rootfs'), { lowers: ['/a', '/b'], upper: undefined });
  t.same(overlayIn(MOUNTS, '/run/twice/rootfs'), { lowers: ['/x'], upper: '/u' }, 'the one on top');
});

t.test('no overlay: none is found', async (t) => {
  t.equal(overlayIn(MOUNTS, '/run/plain/rootfs'), undefined);
  t.equal(overlayIn(MOUNTS, '/run/absent'), undefined);
});

t.test("containerd's namespace is told by runc's folder", async (t) => {
  t.equal(namespaceOf('/run/containerd/runc/k8s.io'), 'k8s.io');
  t.equal(namespaceOf('/run/user/0/mine'), '');
});
