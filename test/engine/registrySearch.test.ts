import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RegistryPage, RegistrySearch } from '../../src/engine/registry/types.ts';
import { errorOfKind } from '../errorOfKind.ts';
import { openRegistryEngine, type RegistryEngine } from './registryEngine.ts';

const promptTag = 'mlflow.prompt.is_prompt';

describe('Searching the registry', () => {
  let engine: RegistryEngine;
  beforeEach(async () => {
    engine = await openRegistryEngine();
  });
  afterEach(() => engine.close());

  const create = (name: string, tags: Readonly<Record<string, string>> = {}) =>
    engine.registry.createModel(
      name,
      '',
      Object.entries(tags).map(([key, value]) => ({ key, value })),
    );
  const createVersion = (name: string, tags: Readonly<Record<string, string>> = {}) =>
    engine.registry.createVersion({
      name,
      source: promptTag in tags ? 'dummy-source' : 's3://bucket/model',
      runId: null,
      modelId: null,
      runLink: '',
      description: '',
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    });
  /** All that a search finds, in pages of this size. */
  const all = <Item>(
    search: (asked: RegistrySearch) => RegistryPage<Item>,
    filter: string,
    orderBy: readonly string[] = [],
    maxResults = 1000,
  ): readonly Item[] => {
    const found: Item[] = [];
    for (let pageToken: string | null = null; ; ) {
      const { items, nextPageToken }: RegistryPage<Item> = search({ filter, orderBy, maxResults, pageToken });
      found.push(...items);
      if (nextPageToken === null) return found;
      pageToken = nextPageToken;
    }
  };
  const models = (filter: string, ...more: readonly [(readonly string[])?, number?]) =>
    all(engine.registry.searchModels, filter, ...more).map(({ name }) => name);
  const versions = (filter: string, ...more: readonly [(readonly string[])?, number?]) =>
    all(engine.registry.searchVersions, filter, ...more).map(({ name, version }) => `${name}/${version}`);

  it('gives each model and version once, on pages of any size, in any order', () => {
    for (const name of ['b', 'B', 'a', 'é', 'a%']) {
      create(name);
      for (let version = 1; version <= 3; version += 1) createVersion(name);
    }
    const direction = fc.constantFrom('', ' ASC', ' DESC');
    const orderOf = (...keys: readonly string[]) =>
      fc
        .tuple(fc.subarray([...keys]), fc.array(direction, { minLength: keys.length }))
        .map(([chosen, directions]) => chosen.map((key, index) => key + directions[index]));
    fc.assert(
      fc.property(
        orderOf('name', 'timestamp'),
        orderOf('name', 'version_number', 'creation_timestamp', 'last_updated_timestamp'),
        fc.integer({ min: 1, max: 6 }),
        (modelOrder, versionOrder, size) => {
          assert.deepEqual(models('', modelOrder, size), models('', modelOrder));
          assert.deepEqual(versions('', versionOrder, size), versions('', versionOrder));
          assert.equal(new Set(models('', modelOrder, size)).size, 5);
          assert.equal(new Set(versions('', versionOrder, size)).size, 15);
        },
      ),
      { numRuns: 100 },
    );
    assert.deepEqual(models(''), ['B', 'a', 'a%', 'b', 'é']);
    assert.deepEqual(versions("name = 'a'", ['version_number']), ['a/1', 'a/2', 'a/3']);
    assert.deepEqual(versions("name ILIKE 'B'", ['name DESC']), ['b/3', 'b/2', 'b/1', 'B/3', 'B/2', 'B/1']);
  });

  it('finds models and versions by every kind of clause', () => {
    create('one', { team: 'Red', kind: 'x' });
    create('two', { team: 'blue' });
    createVersion('one', { seen: 'yes' });
    createVersion('one');
    createVersion('two');
    assert.deepEqual(models("name IN ('two', 'three')"), ['two']);
    assert.deepEqual(models("name NOT IN ('two')"), ['one']);
    assert.deepEqual(models("attribute.name LIKE 'o_e' AND tags.team = 'Red'"), ['one']);
    assert.deepEqual(models("tag.team ILIKE 'r%'"), ['one']);
    assert.deepEqual(models("tags.team != 'Red'"), ['two']);
    assert.deepEqual(models('tags.kind IS NULL'), ['two']);
    assert.deepEqual(models('tags.`kind` IS NOT NULL'), ['one']);
    assert.deepEqual(versions('version_number >= 2'), ['one/2']);
    assert.deepEqual(versions("version_number = '2'"), ['one/2']);
    assert.deepEqual(versions("tags.seen = 'yes'"), ['one/1']);
    assert.deepEqual(versions("source_path LIKE 's3://%' AND name = 'two'"), ['two/1']);
    assert.deepEqual(versions("run_id IN ('r')"), []);
  });

  it('leaves out prompts unless they are asked for as MLflow asks', () => {
    create('model');
    create('prompt', { [promptTag]: 'true' });
    create('loud', { [promptTag]: 'TRUE' });
    createVersion('model');
    createVersion('prompt', { [promptTag]: 'true' });
    createVersion('prompt');
    assert.deepEqual(models(''), ['loud', 'model']);
    assert.deepEqual(models(`tags.\`${promptTag}\` != 'true'`), ['loud', 'model']);
    assert.deepEqual(models(`tags.\`${promptTag}\` = 'false'`), ['loud', 'model']);
    assert.deepEqual(models(`tags.\`${promptTag}\` LIKE 'tr%'`), ['loud', 'model']);
    assert.deepEqual(models(`tags.\`${promptTag}\` = 'true'`), ['prompt']);
    assert.deepEqual(models(`tags.\`${promptTag}\` = 'TRUE'`), ['loud']);
    assert.deepEqual(models(`tags.\`${promptTag}\` != 'false' AND name LIKE 'p%'`), ['prompt']);
    assert.deepEqual(versions(''), ['model/1']);
    assert.deepEqual(versions(`tags.\`${promptTag}\` = 'true'`), ['prompt/1']);
  });

  it('refuses clauses, orders and tokens that the searches do not have', () => {
    create('a');
    create('b');
    const isInvalid = errorOfKind('invalidParameter');
    for (const filter of [
      'name',
      "name = 'a' OR name = 'b'",
      "(name = 'a')",
      "name IN 'a'",
      "name <> 'a'",
      "params.x = '1'",
      "run_id = 'a'",
      'version_number = 1',
      "tags.x IN ('a')",
    ]) {
      assert.throws(() => models(filter), isInvalid, filter);
    }
    for (const filter of ["source_path IN ('a')", 'version_number = 1.5', "version_number LIKE '1'"]) {
      assert.throws(() => versions(filter), isInvalid, filter);
    }
    for (const order of [['creation_timestamp'], ['timestamp', 'last_updated_timestamp'], ['tags.x'], ['']]) {
      assert.throws(() => models('', order), isInvalid, order.join());
    }
    const page = { filter: '', orderBy: [], maxResults: 1, pageToken: null };
    const { nextPageToken } = engine.registry.searchModels(page);
    assert.throws(
      () => engine.registry.searchModels({ ...page, pageToken: nextPageToken, orderBy: ['name DESC'] }),
      isInvalid,
    );
  });
});
