/** Messages and services of containerd's API that forage calls. */
import any from 'google-protobuf/google/protobuf/any_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import runc from './gen/containerd/runc/options_pb.js';
import containers from './gen/containerd/services/containers/v1/containers_pb.js';
import content from './gen/containerd/services/content/v1/content_pb.js';
import images from './gen/containerd/services/images/v1/images_pb.js';
import leases from './gen/containerd/services/leases/v1/leases_pb.js';
import namespaces from './gen/containerd/services/namespaces/v1/namespace_pb.js';
import tasks from './gen/containerd/services/tasks/v1/tasks_pb.js';
import version from './gen/containerd/services/version/v1/version_pb.js';
import types from './gen/containerd/types/descriptor_pb.js';
import { methodsOf } from './service.ts';

export { any, containers, content, empty, images, leases, namespaces, runc, tasks, types, version };

const ofContainers = methodsOf('containerd.services.containers.v1.Containers');
const ofContent = methodsOf('containerd.services.content.v1.Content');
const ofImages = methodsOf('containerd.services.images.v1.Images');
const ofLeases = methodsOf('containerd.services.leases.v1.Leases');
const ofNamespaces = methodsOf('containerd.services.namespaces.v1.Namespaces');
const ofTasks = methodsOf('containerd.services.tasks.v1.Tasks');
const ofVersion = methodsOf('containerd.services.version.v1.Version');

export const ContainersService = {
  get: ofContainers.unary('Get', containers.GetContainerRequest, containers.GetContainerResponse),
  list: ofContainers.unary('List', containers.ListContainersRequest, containers.ListContainersResponse),
  create: ofContainers.unary('Create', containers.CreateContainerRequest, containers.CreateContainerResponse),
  delete: ofContainers.unary('Delete', containers.DeleteContainerRequest, empty.Empty),
};

export const ContentService = {
  info: ofContent.unary('Info', content.InfoRequest, content.InfoResponse),
  list: ofContent.stream('List', content.ListContentRequest, content.ListContentResponse),
  delete: ofContent.unary('Delete', content.DeleteContentRequest, empty.Empty),
  read: ofContent.stream('Read', content.ReadContentRequest, content.ReadContentResponse),
};

export const ImagesService = {
  list: ofImages.unary('List', images.ListImagesRequest, images.ListImagesResponse),
};

export const LeasesService = {
  create: ofLeases.unary('Create', leases.CreateRequest, leases.CreateResponse),
  delete: ofLeases.unary('Delete', leases.DeleteRequest, empty.Empty),
  list: ofLeases.unary('List', leases.ListRequest, leases.ListResponse),
  addResource: ofLeases.unary('AddResource', leases.AddResourceRequest, empty.Empty),
  listResources: ofLeases.unary('ListResources', leases.ListResourcesRequest, leases.ListResourcesResponse),
};

export const NamespacesService = {
  list: ofNamespaces.unary('List', namespaces.ListNamespacesRequest, namespaces.ListNamespacesResponse),
};

export const TasksService = {
  create: ofTasks.unary('Create', tasks.CreateTaskRequest, tasks.CreateTaskResponse),
  start: ofTasks.unary('Start', tasks.StartRequest, tasks.StartResponse),
  delete: ofTasks.unary('Delete', tasks.DeleteTaskRequest, tasks.DeleteResponse),
  get: ofTasks.unary('Get', tasks.GetRequest, tasks.GetResponse),
  kill: ofTasks.unary('Kill', tasks.KillRequest, empty.Empty),
  pause: ofTasks.unary('Pause', tasks.PauseTaskRequest, empty.Empty),
  resume: ofTasks.unary('Resume', tasks.ResumeTaskRequest, empty.Empty),
  wait: ofTasks.unary('Wait', tasks.WaitRequest, tasks.WaitResponse),
};

export const VersionService = {
  version: ofVersion.unary('Version', empty.Empty, version.VersionResponse),
};
