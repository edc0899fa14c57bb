// A link out of what people paste.

/** Neither a link's own, nor seen: what stands around it in a message. */
const AROUND = /[).,;\]]+$/;

/**
 * The first link of what was pasted, which may be a whole invitation, or lack its https://. Whether it is
 * one for a class is the server's to say.
 * @param {string} text
 */
export function linkIn(text) {
  const [link] = /https?:\/\/[^\s\p{Cf}<>"]+/iu.exec(text) ?? [];
  if (link) return link.replace(AROUND, '');
  const [, bare] = /(?:^|[\s\p{Cf}])([\w-]+(?:\.[\w-]+)+\/[^\s\p{Cf}<>"]*)/u.exec(text) ?? [];
  return bare ? `https://${bare.replace(AROUND, '')}` : text.trim();
}
