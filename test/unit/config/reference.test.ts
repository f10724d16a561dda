import { describe, expect, it } from 'vitest';
import { configJsonSchema } from '../../../src/config/index.ts';

type Schema = ReturnType<typeof configJsonSchema>;

/** Every key of the file with its schema, `*` for names that people choose. */
function keysOf(schema: Schema, path = ''): [string, Schema][] {
  const below: [string, Schema][] = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    typeof value === 'object' ? [[`${path}.${key}`, value]] : [],
  );
  if (typeof schema.additionalProperties === 'object') below.push([`${path}.*`, schema.additionalProperties]);
  const { items } = schema;
  if (typeof items === 'object' && !Array.isArray(items)) below.push([`${path}[]`, items]);
  return below.flatMap(([name, value]) => [[name, value], ...keysOf(value, name)]);
}

describe('the schema, from which the reference of the config is made', () => {
  const keys = keysOf(configJsonSchema());

  it('has a description of every key', () => {
    expect(keys.length).toBeGreaterThan(50);
    expect(keys.filter(([, schema]) => !schema.description).map(([name]) => name)).toEqual([]);
  });

  it('has an example of every value, and unit and range of every number', () => {
    const values = keys.filter(([, schema]) => schema.type === 'string');
    expect(values.filter(([, schema]) => !('example' in schema)).map(([name]) => name)).toEqual([]);
    const trip = new Map(keys).get('.stations.*.silence.trip');
    expect(trip).toMatchObject({
      default: '5s',
      unit: 'duration: ms, s, m or h',
      range: { minimum: '1s', maximum: '10m' },
    });
  });
});
