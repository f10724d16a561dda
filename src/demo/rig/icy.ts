/** Takes the titles out of an ICY stream: every `intervalBytes` of sound one length byte and that many × 16 bytes of text. */
export function createIcySplitter(intervalBytes: number, onTitle: (title: string) => void) {
  let soundLeft = intervalBytes;
  let textLeft = 0;
  let text: Buffer[] = [];
  const takeText = (bytes: Buffer): void => {
    text.push(bytes);
    textLeft -= bytes.length;
    if (textLeft > 0) return;
    const title = /StreamTitle='(.*?)';/s.exec(Buffer.concat(text).toString('utf8'))?.[1];
    if (title !== undefined) onTitle(title);
    text = [];
    soundLeft = intervalBytes;
  };
  return (chunk: Buffer): Buffer => {
    const sound: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (soundLeft > 0) {
        const part = chunk.subarray(at, at + soundLeft);
        sound.push(part);
        soundLeft -= part.length;
        at += part.length;
      } else if (textLeft === 0) {
        textLeft = (chunk[at] ?? 0) * 16;
        at += 1;
        if (textLeft === 0) soundLeft = intervalBytes;
      } else {
        const part = chunk.subarray(at, at + textLeft);
        at += part.length;
        takeText(part);
      }
    }
    return Buffer.concat(sound);
  };
}
