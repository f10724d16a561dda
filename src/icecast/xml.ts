import { XMLParser } from 'fast-xml-parser';

/** One XML element: names in lower case, for Icecast 2.4 writes `<UserAgent>` where 2.5 writes `<useragent>`. */
export type XmlElement = { readonly [name: string]: unknown };

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  transformTagName: (name) => name.toLowerCase(),
  // Titles such as 007 or 1e5 are text.
  parseTagValue: false,
  parseAttributeValue: false,
  // Entities are undone below, the five of XML and numbers only.
  processEntities: false,
});

/** Null for anything that is no XML of Icecast's. A document type has no business there, so it is refused unread. */
export function parseIcecastXml(text: string): XmlElement | null {
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) return null;
  try {
    return asElement(parser.parse(text));
  } catch {
    return null;
  }
}

export function child(element: XmlElement, name: string): XmlElement | null {
  return asElement(own(element, name));
}

export function children(element: XmlElement, name: string): XmlElement[] {
  const found = own(element, name);
  const list: unknown[] = Array.isArray(found) ? found : [found];
  return list.map(asElement).filter((one) => one !== null);
}

/** The text of a child element or, with `@`, of an attribute; null when there is none. */
export function textOf(element: XmlElement, name: string): string | null {
  const found = own(element, name);
  const first: unknown = Array.isArray(found) ? found[0] : found;
  if (typeof first === 'string') return decodeEntities(first);
  const inner = asElement(first);
  const text = inner === null ? null : own(inner, '#text');
  return typeof text === 'string' ? decodeEntities(text) : null;
}

export function countOf(element: XmlElement, name: string): number | null {
  const text = textOf(element, name) ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{2,4}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED.get(String(name)) ?? whole;
    const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
    return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole;
  });
}

function own(element: XmlElement, name: string): unknown {
  return Object.hasOwn(element, name) ? element[name] : undefined;
}

function asElement(value: unknown): XmlElement | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}
