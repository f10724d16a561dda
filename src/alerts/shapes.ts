import type { AlertMessage } from './message.ts';
import { type Words, wordsOf } from './words.ts';

/** The bodies that chat services take on their webhooks. */
export type ChatKind = 'slack' | 'discord' | 'teams';

const COLOURS: Readonly<Record<Words['mood'], number>> = {
  worse: 0xd0021b,
  bad: 0xf5a623,
  noted: 0x4a90e2,
  good: 0x2e9e4f,
};
const MARKS: Readonly<Record<Words['mood'], string>> = { worse: '🔴', bad: '🟠', noted: '🔵', good: '🟢' };

export function chatBody(kind: ChatKind, messages: readonly AlertMessage[]): unknown {
  const words = wordsOf(messages);
  switch (kind) {
    case 'slack':
      return slackBody(words);
    case 'discord':
      return discordBody(words);
    case 'teams':
      return teamsBody(words);
  }
}

/** Slack reads &, < and > as its own, and with them links and calls to everybody. */
const forSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function slackBody({ title, lines, mood }: Words): unknown {
  const head = forSlack(`${MARKS[mood]} ${title}`);
  const text = forSlack(lines.join('\n')).slice(0, 2_900);
  return {
    text: head,
    blocks: [
      { type: 'section', text: { type: 'plain_text', text: `${MARKS[mood]} ${title}`.slice(0, 2_900) } },
      { type: 'context', elements: [{ type: 'mrkdwn', text, verbatim: true }] },
    ],
  };
}

function discordBody({ title, lines, mood }: Words): unknown {
  return {
    // Nobody is to be called by a title that says @everyone.
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: `${MARKS[mood]} ${title}`.slice(0, 256),
        description: lines
          .join('\n')
          .replaceAll(/[\\*_~`|>[\]]/g, '\\$&')
          .slice(0, 4_000),
        color: COLOURS[mood],
      },
    ],
  };
}

/** An Adaptive Card, as the Workflows webhook of Teams takes it. */
function teamsBody({ title, lines, mood }: Words): unknown {
  const colour = { worse: 'attention', bad: 'warning', noted: 'accent', good: 'good' }[mood];
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            {
              type: 'TextBlock',
              text: `${MARKS[mood]} ${title}`,
              weight: 'bolder',
              wrap: true,
              color: colour,
            },
            ...lines.map((text) => ({ type: 'TextBlock', text, wrap: true, isSubtle: true })),
          ],
        },
      },
    ],
  };
}

/** ntfy takes JSON at the root of its server; the topic is what the address ends with. */
export function ntfyBody(topic: string, messages: readonly AlertMessage[]): unknown {
  const { title, lines, mood } = wordsOf(messages);
  return {
    topic,
    title,
    message: lines.join('\n'),
    priority: { worse: 5, bad: 4, noted: 3, good: 3 }[mood],
    tags: [
      { worse: 'rotating_light', bad: 'warning', noted: 'information_source', good: 'white_check_mark' }[
        mood
      ],
    ],
  };
}
