/** The client of the service, for browsers and Node. */
export {
  type Answer,
  type CallInput,
  Client,
  type ClientOptions,
  type Input,
  type Operation,
  type Problem,
  type RequestOptions,
  type Schemas,
  ServiceError,
} from './client.js';
