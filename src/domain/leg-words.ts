/** Text with legs as people call them: `primary on london` for `myfm/primary@london`. */
export const withLegsInWords = (text: string): string =>
  text.replace(/\b[a-z0-9-]+\/([a-z0-9-]+)@([a-z0-9-]+)/g, '$1 on $2');
