/** The text of a `traces.json` as MLflow 3 uploads it: a root span and an LLM span below it. */
export const currentTraceFile = `{"spans": [
  {"trace_id": "OlYw4LUdef6Pcsev1CvcAA==", "span_id": "PhOOuvxfqO4=", "parent_span_id": null, "name": "answer",
   "start_time_unix_nano": 1795252042404823251, "end_time_unix_nano": 1795252042475460843,
   "events": [{"name": "seen", "time_unix_nano": 1795252042474302720, "attributes": {"k": 1, "odd": NaN}}],
   "status": {"code": "STATUS_CODE_ERROR", "message": "no \\"1795252042474302720\\""},
   "attributes": {"mlflow.spanType": "\\"CHAIN\\"", "mlflow.spanInputs": "{\\"q\\": [1, 2.5, true, null]}", "plain": "no JSON"}},
  {"trace_id": "OlYw4LUdef6Pcsev1CvcAA==", "span_id": "WM9MRD0bWSQ=", "parent_span_id": "PhOOuvxfqO4=", "name": "write",
   "start_time_unix_nano": 1795252042474153486, "end_time_unix_nano": null, "status": {"code": "STATUS_CODE_OK"},
   "attributes": {"mlflow.spanType": "\\"LLM\\"", "model": "\\"grüße\\""}}
]}`;

/** The same of one span, as MLflow 2 uploads it. */
export const oldTraceFile = `{"spans": [
  {"name": "old", "context": {"span_id": "0x3e138ebafc5fa8ee", "trace_id": "0x3a5630e0b51d79fe8f72c7afd42bdc00"},
   "parent_id": null, "start_time": 1795252042404823251, "end_time": 1795252042475460843, "status_code": "OK",
   "status_message": "", "attributes": {"mlflow.spanType": "\\"TOOL\\""},
   "events": [{"name": "e", "timestamp": 1795252042404823252, "attributes": {}}]}
], "request": "{}", "response": null}`;
