// Questions to the server, all to addresses beside the page, whose path holds the token.

export class Refused extends Error {}

async function post(name, body, type) {
  let answer;
  try {
    answer = await fetch(name, { method: "POST", headers: { "Content-Type": type }, body });
  } catch {
    throw new Refused("The server does not answer: has `jitcnn play` ended?");
  }
  if (!answer.ok) throw new Refused((await answer.text()).trim());
  return answer;
}

export const ask = async (name, question = {}) => (await post(name, JSON.stringify(question), "application/json")).json();
export const askPacked = async (name, question = {}) => unpack(await (await post(name, JSON.stringify(question), "application/json")).arrayBuffer());
export const sendBytes = async (name, bytes) => unpack(await (await post(name, bytes, "application/octet-stream")).arrayBuffer());

// A header in JSON, and float32 numbers for each of its entries under `layers`, as look.py writes them.
function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let offset = 4 + length;
  for (const layer of header.layers) {
    for (const part of ["", "weights_"]) {
      const sent = layer[`${part}sent`];
      if (!sent) continue;
      const count = sent.reduce((a, b) => a * b, 1);
      layer[`${part}numbers`] = new Float32Array(buffer, offset, count);
      offset += 4 * count;
    }
  }
  return header;
}

export function toBase64(bytes) {
  let text = "";
  for (let start = 0; start < bytes.length; start += 32768) text += String.fromCharCode(...bytes.subarray(start, start + 32768));
  return btoa(text);
}

const KINDS = { uint8: Uint8Array, float32: Float32Array, float64: Float64Array };

export function fromBase64(image) {
  const bytes = Uint8Array.from(atob(image.data), (letter) => letter.charCodeAt(0));
  return new KINDS[image.dtype](bytes.buffer);
}
