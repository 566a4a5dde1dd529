/** A request that cannot be answered, told to the client as it is: a status of HTTP and a sentence for a person. */
export class RequestProblem extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'RequestProblem';
    this.status = status;
  }
}

/** The request itself is at fault, and the sentence says where. */
export function badRequest(message: string): RequestProblem {
  return new RequestProblem(400, message);
}
