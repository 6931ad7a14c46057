// Hands a file to what is beyond the page: the clipboard, or another app by the browser's sharing.
// Over plain HTTP, as in a LAN, browsers have neither; then there is nothing to press.

/**
 * What a browser is able to do.
 *
 * @typedef {{ canCopy: boolean, canShare: boolean }} Abilities
 */

/**
 * A type of each kind, by which a browser tells whether it shares such files.
 *
 * @type {Record<string, string>}
 */
const TYPES = { image: "image/png", video: "video/mp4", audio: "audio/mpeg" };

/**
 * Find what the browser is able to do with a file.
 *
 * @param {string} kind of the result
 * @returns {Abilities}
 */
export function findAbilities(kind) {
  const type = TYPES[kind];
  if (!type || !globalThis.isSecureContext) return { canCopy: false, canShare: false };
  const hasClipboard = typeof ClipboardItem === "function" && Boolean(navigator.clipboard?.write);
  return { canCopy: kind === "image" && hasClipboard, canShare: sharesFiles(type) };
}

/** @param {string} type */
function sharesFiles(type) {
  if (!navigator.canShare) return false;
  const sample = new File([""], `sample.${type.split("/")[1]}`, { type });
  return navigator.canShare({ files: [sample] });
}

/** @param {string} url */
async function fetchFile(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.blob();
}

/**
 * Clipboards take PNG alone.
 *
 * @param {Blob} blob
 * @returns {Promise<Blob>}
 */
async function convertToPng(blob) {
  if (blob.type === "image/png") return blob;
  const bitmap = await createImageBitmap(blob);
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob((made) => (made ? resolve(made) : reject(new Error("no picture"))), "image/png");
  });
}

/**
 * Copy a picture.
 *
 * @param {string} url
 * @returns {Promise<boolean>} whether it is copied
 */
export async function copyPicture(url) {
  // The promise goes in as it is: some browsers forget the press while a file is fetched.
  const png = fetchFile(url).then(convertToPng);
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    return true;
  } catch {
    return false;
  }
}

/**
 * Share a file.
 *
 * @param {string} url
 * @param {string} name
 * @returns {Promise<boolean>} false if it could not be shared; who changes their mind is no failure
 */
export async function shareFile(url, name) {
  try {
    const blob = await fetchFile(url);
    const file = new File([blob], name, { type: blob.type });
    await navigator.share({ files: [file] });
    return true;
  } catch (error) {
    return error instanceof DOMException && error.name === "AbortError";
  }
}
