/** Restores asked of another node, between messages and plain data. What comes from there is checked. */
import { fromInt64, toInt64 } from '../../proto/int64.ts';
import { peer } from '../../proto/peer.ts';
import type { RestoreOrder, RestoreProgress } from '../types.ts';
import { WireError } from './wire.ts';

const CHECKPOINT = /^[a-z0-9][a-z0-9.-]{0,63}$/;
/** What containerd takes as a name of a namespace or a container. */
const NAME = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/;
const MAX_NAME_CHARACTERS = 76;
const MAX_TEXT_CHARACTERS = 4096;

export function isContainerName(name: string): boolean {
  return name.length <= MAX_NAME_CHARACTERS && NAME.test(name);
}

export function orderMessage(order: RestoreOrder): peer.RestoreRequest {
  const { checkpoint, namespace, container, whole, prepare, fallback, follow } = order;
  return new peer.RestoreRequest()
    .setCheckpoint(checkpoint)
    .setNamespace(namespace)
    .setContainer(container)
    .setWhole(whole)
    .setPrepare(prepare)
    .setFallback(fallback)
    .setFollow(follow);
}

/** Throws WireError. */
export function orderFrom(message: peer.RestoreRequest): RestoreOrder {
  const [checkpoint, namespace, container] = [
    message.getCheckpoint(),
    message.getNamespace(),
    message.getContainer(),
  ];
  const fallback = message.getFallback();
  for (const id of [checkpoint, ...(fallback === '' ? [] : [fallback])])
    if (!CHECKPOINT.test(id)) throw new WireError("no proper checkpoint's id");
  if (!isContainerName(namespace) || !isContainerName(container))
    throw new WireError('no proper name of a namespace or container');
  const [whole, prepare, follow] = [message.getWhole(), message.getPrepare(), message.getFollow()];
  return { checkpoint, namespace, container, whole, prepare, fallback, follow };
}

export function progressMessage(from: RestoreProgress): peer.RestoreProgress {
  return new peer.RestoreProgress()
    .setText(from.text)
    .setRunning(from.running)
    .setComplete(from.complete)
    .setFailed(from.failed ?? '')
    .setHereBytes(toInt64(from.hereBytes))
    .setTotalBytes(toInt64(from.totalBytes))
    .setSharedBytes(toInt64(from.sharedBytes))
    .setFellBack(from.fellBack);
}

export function progressFrom(message: peer.RestoreProgress): RestoreProgress {
  const failed = message.getFailed().slice(0, MAX_TEXT_CHARACTERS);
  return {
    text: message.getText().slice(0, MAX_TEXT_CHARACTERS),
    running: message.getRunning(),
    complete: message.getComplete(),
    failed: failed === '' ? undefined : failed,
    hereBytes: fromInt64(message.getHereBytes(), 'bytes here'),
    totalBytes: fromInt64(message.getTotalBytes(), 'bytes in all'),
    sharedBytes: fromInt64(message.getSharedBytes(), 'bytes shared'),
    fellBack: message.getFellBack(),
  };
}
