// What a user of the Node package does, against the server whose address is the only argument; prints JSON.
import {BigQuery} from '@google-cloud/bigquery';
import {writeFile} from 'node:fs/promises';

const anonymous = {
  getProjectId: async () => 'local',
  request: options => fetch(options.url, options),
  authorizeRequest: async options => options,
  getRequestHeaders: async () => ({}),
};
const bigquery = new BigQuery({projectId: 'local', apiEndpoint: process.argv[2], authClient: anonymous});
const seen = {};

await bigquery.createDataset('air', {location: 'EU'});
const schema = [
  {name: 'flight', type: 'INTEGER', mode: 'REQUIRED'},
  {name: 'carrier', type: 'STRING'},
  {name: 'departed', type: 'TIMESTAMP'},
  {name: 'legs', type: 'RECORD', mode: 'REPEATED', fields: [{name: 'airport', type: 'STRING'}]},
];
const [table] = await bigquery.dataset('air').createTable('flight', {schema});

const lines = [
  {flight: 1545, carrier: 'UA', departed: '2013-01-01T10:17:00.25Z', legs: [{airport: 'EWR'}, {airport: 'IAH'}]},
  {flight: 1714, carrier: 'UA', departed: '2013-01-01T10:33:00Z', legs: []},
];
await writeFile('flights.json', lines.map(line => JSON.stringify(line)).join('\n'));
const [load] = await table.load('flights.json', {sourceFormat: 'NEWLINE_DELIMITED_JSON'});
seen.loaded = load.statistics.load.outputRows;
await table.insert({flight: 1141, carrier: 'AA', departed: BigQuery.timestamp('2013-01-01T10:42:00Z')});

await bigquery.query(`CREATE PROCEDURE air.count_flights(IN wanted STRING, OUT found INT64)
BEGIN
  SET found = (SELECT COUNT(*) FROM air.flight WHERE carrier = wanted);
END`);
const call = 'DECLARE found INT64; CALL air.count_flights(@carrier, found); SELECT found;';
[[seen.called]] = await bigquery.query({query: call, params: {carrier: 'UA'}});

const shown = row => ({...row, departed: row.departed.value});
[seen.listed] = await table.getRows({maxResults: 1, autoPaginate: false});
seen.listed = seen.listed.map(shown);
const [job] = await bigquery.createQueryJob('SELECT * FROM air.flight ORDER BY flight');
[seen.queried] = await job.getQueryResults();
seen.queried = seen.queried.map(shown);

const text = 'SELECT\n  carier FROM air.flight';
const failure = await bigquery.query(text).catch(error => error);
seen.failure = {code: failure.code, message: failure.message, reason: failure.errors[0].reason};
const missing = await table.dataset.table('nothing').getMetadata().catch(error => error);
seen.missing = {code: missing.code, message: missing.message, reason: missing.errors[0].reason};

const [metadata] = await table.getMetadata();
const [changed] = await table.setMetadata({description: 'Departures', etag: metadata.etag});
seen.described = changed.description;
[seen.tables] = (await bigquery.dataset('air').getTables()).map(tables => tables?.map?.(({id}) => id));
await bigquery.dataset('air').delete({force: true});
[seen.datasets] = (await bigquery.getDatasets()).map(datasets => datasets?.map?.(({id}) => id));
console.log(JSON.stringify(seen));
