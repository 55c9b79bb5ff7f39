import t from 'tap';
import { imagesToTell, type NamespacedImage } from './image-refs-names.ts';
import { digest } from './twins.ts';

const app = digest('a');

function image(name: string, more: Partial<NamespacedImage> = {}): NamespacedImage {
  const target = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: app };
  return { name, namespace: 'k8s.io', target, updatedAtMs: 1, ...more };
}

const names = (images: NamespacedImage[]) => imagesToTell(images).map(({ name }) => name);

t.test('of the names that CRI gives an image, the tag is told', async (t) => {
  const three = [digest('c'), `registry:5000/app@${app}`, 'registry:5000/app:v1'].map((name) => image(name));
  t.same(names(three), ['registry:5000/app:v1']);
});

t.test('an image that was pulled by its digest is told under that', async (t) => {
  const pinned = image(`registry:5000/app@${app}`);
  t.same(names([pinned]), [pinned.name]);
  t.same(names([pinned, image('registry:5000/other:v1')]), [pinned.name, 'registry:5000/other:v1']);
  const moved = image('registry:5000/app:v1', { target: { ...pinned.target, digest: digest('b') } });
  t.same(names([pinned, moved]), [moved.name, pinned.name].toSorted(), 'the tag stands for something else');
});

t.test('a name with tag and digest adds nothing to the tag', async (t) => {
  t.same(names([image(`registry:5000/app:v1@${app}`), image('registry:5000/app:v1')]), [
    'registry:5000/app:v1',
  ]);
  t.same(names([image(`docker.io/library/nginx:1@${app}`)]), [`docker.io/library/nginx:1@${app}`]);
});

t.test('names that the directory does not take are left out', async (t) => {
  t.same(names([image('a name:v1'), image(`${'n'.repeat(600)}:v1`), image('')]), []);
});

t.test('where two namespaces have a name, the one that was pointed last is told', async (t) => {
  const old = image('app:v1', { namespace: 'default', updatedAtMs: 5 });
  const fresh = image('app:v1', { updatedAtMs: 6 });
  t.same(imagesToTell([fresh, old]), [fresh]);
});
