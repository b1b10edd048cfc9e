// Made by scripts/build-client.mjs from the OpenAPI document of the service: change that, not this.
// biome-ignore-all format: generated
// biome-ignore-all lint: generated
// biome-ignore-all assist: generated

/** Method and address of every operation. */
export const OPERATIONS = {
  accept_licence: { method: 'POST', path: '/api/v1/models/licences/{licence_id}' },
  add_samples: { method: 'POST', path: '/api/v1/persons/{id}/samples' },
  analyze: { method: 'POST', path: '/api/v1/analyze' },
  analyze_batch: { method: 'POST', path: '/api/v1/analyze/batch' },
  cancel_model_download: { method: 'DELETE', path: '/api/v1/models/catalogue/{id}/download' },
  check_audit: { method: 'GET', path: '/api/v1/audit/check' },
  compare_faces: { method: 'POST', path: '/api/v1/face-recognition/compare-faces' },
  create_collection: { method: 'POST', path: '/api/v1/collections' },
  create_key: { method: 'POST', path: '/api/v1/keys' },
  create_person: { method: 'POST', path: '/api/v1/persons' },
  create_ticket: { method: 'POST', path: '/api/v1/tickets' },
  delete_collection: { method: 'DELETE', path: '/api/v1/collections/{name}' },
  delete_person: { method: 'DELETE', path: '/api/v1/persons/{id}' },
  delete_sample: { method: 'DELETE', path: '/api/v1/samples/{id}' },
  detect: { method: 'POST', path: '/api/v1/detect' },
  detect_batch: { method: 'POST', path: '/api/v1/detect/batch' },
  download_model: { method: 'POST', path: '/api/v1/models/catalogue/{id}/download' },
  enrol: { method: 'POST', path: '/api/v1/enrol' },
  enrol_batch: { method: 'POST', path: '/api/v1/enrol/batch' },
  erase: { method: 'POST', path: '/api/v1/erase' },
  export_gallery: { method: 'GET', path: '/api/v1/export' },
  extract_embedding: { method: 'POST', path: '/api/v1/face-recognition/extract-embedding' },
  get_camera: { method: 'GET', path: '/api/v1/cameras/{id}' },
  get_camera_picture: { method: 'GET', path: '/api/v1/cameras/{id}/picture' },
  get_collection: { method: 'GET', path: '/api/v1/collections/{name}' },
  get_person: { method: 'GET', path: '/api/v1/persons/{id}' },
  get_thumbnail: { method: 'GET', path: '/api/v1/samples/{id}/thumbnail' },
  health: { method: 'GET', path: '/health' },
  identify: { method: 'POST', path: '/api/v1/identify' },
  identify_batch: { method: 'POST', path: '/api/v1/identify/batch' },
  import_gallery: { method: 'POST', path: '/api/v1/import' },
  landmarks: { method: 'POST', path: '/api/v1/landmarks' },
  landmarks_batch: { method: 'POST', path: '/api/v1/landmarks/batch' },
  list_audit: { method: 'GET', path: '/api/v1/audit' },
  list_cameras: { method: 'GET', path: '/api/v1/cameras' },
  list_collections: { method: 'GET', path: '/api/v1/collections' },
  list_engines: { method: 'GET', path: '/api/v1/models/loaded' },
  list_events: { method: 'GET', path: '/api/v1/events' },
  list_keys: { method: 'GET', path: '/api/v1/keys' },
  list_models: { method: 'GET', path: '/api/v1/models/catalogue' },
  list_operations: { method: 'GET', path: '/api/v1/operations' },
  list_persons: { method: 'GET', path: '/api/v1/persons' },
  list_receipts: { method: 'GET', path: '/api/v1/receipts' },
  list_samples: { method: 'GET', path: '/api/v1/persons/{id}/samples' },
  load_model: { method: 'POST', path: '/api/v1/models/load' },
  match_face: { method: 'POST', path: '/api/v1/face-recognition/match-face' },
  merge_persons: { method: 'POST', path: '/api/v1/persons/{id}/merge' },
  mesh: { method: 'POST', path: '/api/v1/mesh' },
  metrics: { method: 'GET', path: '/metrics' },
  model_download: { method: 'GET', path: '/api/v1/models/catalogue/{id}/download' },
  model_memory: { method: 'GET', path: '/api/v1/models/memory' },
  not_this_person: { method: 'POST', path: '/api/v1/persons/{id}/feedback' },
  patch_person: { method: 'PATCH', path: '/api/v1/persons/{id}' },
  performance: { method: 'GET', path: '/api/v1/performance' },
  purge_expired: { method: 'POST', path: '/api/v1/purge-expired' },
  put_person: { method: 'PUT', path: '/api/v1/persons/{id}' },
  quality: { method: 'POST', path: '/api/v1/quality' },
  quality_batch: { method: 'POST', path: '/api/v1/quality/batch' },
  ready: { method: 'GET', path: '/ready' },
  remove_model: { method: 'DELETE', path: '/api/v1/models/catalogue/{id}' },
  revoke_key: { method: 'DELETE', path: '/api/v1/keys/{id}' },
  select_model: { method: 'POST', path: '/api/v1/models/select' },
  show_model: { method: 'GET', path: '/api/v1/models/catalogue/{id}' },
  similarity: { method: 'POST', path: '/api/v1/similarity' },
  split_person: { method: 'POST', path: '/api/v1/persons/{id}/split' },
  statistics: { method: 'GET', path: '/api/v1/face-recognition/statistics' },
  switch_model: { method: 'POST', path: '/api/v1/models/switch' },
  switch_recognition_model: { method: 'POST', path: '/api/v1/face-recognition/switch-model' },
  undo_operation: { method: 'POST', path: '/api/v1/operations/{id}/undo' },
  unload_model: { method: 'POST', path: '/api/v1/models/unload' },
  verify: { method: 'POST', path: '/api/v1/verify' },
  verify_batch: { method: 'POST', path: '/api/v1/verify/batch' },
  verify_person: { method: 'POST', path: '/api/v1/persons/{id}/verify' },
  verify_receipt: { method: 'POST', path: '/api/v1/receipts/verify' },
  watch_model_download: { method: 'GET', path: '/api/v1/models/catalogue/{id}/download/events' },
} as const;

export interface paths {
    readonly "/api/v1/analyze": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Measure faces
         * Every measure of every face, or those that `include` names.
         */
        readonly post: operations["analyze"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/analyze/batch": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Measure faces, in many pictures
         * A picture that cannot be read has its problem in its place; the others are answered.
         */
        readonly post: operations["analyze_batch"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/audit": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Who did what: entries of the audit trail */
        readonly get: operations["list_audit"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/audit/check": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Reads the whole audit trail and computes every hash anew */
        readonly get: operations["check_audit"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/cameras": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Cameras that are watched, with their state and counts */
        readonly get: operations["list_cameras"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/cameras/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** One camera */
        readonly get: operations["get_camera"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/cameras/{id}/picture": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** The newest picture, faces covered as the configuration says */
        readonly get: operations["get_camera_picture"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/collections": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** All collections */
        readonly get: operations["list_collections"];
        readonly put?: never;
        /**
         * Make a collection
         * It is pinned to the recogniser in use. Enrolling into one that is not there makes it too.
         */
        readonly post: operations["create_collection"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/collections/{name}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** A collection */
        readonly get: operations["get_collection"];
        readonly put?: never;
        readonly post?: never;
        /**
         * Erase a collection
         * With all its samples, and the persons who have none left.
         */
        readonly delete: operations["delete_collection"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/detect": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Find faces
         * Boxes, scores and, where asked for, 68 landmarks of every face.
         */
        readonly post: operations["detect"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/detect/batch": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Find faces, in many pictures
         * A picture that cannot be read has its problem in its place; the others are answered.
         */
        readonly post: operations["detect_batch"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/enrol": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Enrol a person
         * The most prominent face of each picture becomes a sample: all of them, or none. Pictures come as `image` or `images`; an id is made where `person` names none.
         */
        readonly post: operations["enrol"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/enrol/batch": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Enrol many persons
         * Each picture (or embedding) is one sample of the person at its place in `persons`. One that fails does not touch the others.
         */
        readonly post: operations["enrol_batch"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/erase": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Erase a person or a sample
         * As DELETE on the person or sample, with the id in the body. The receipt is signed. Cannot be undone.
         */
        readonly post: operations["erase"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/events": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Events of the log, page by page */
        readonly get: operations["list_events"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/export": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * The gallery as lines of JSON
         * As it is written, without end: a gallery of any size. Sealed where the gallery is.
         */
        readonly get: operations["export_gallery"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/face-recognition/compare-faces": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Find a face among those of another picture
         * The most prominent face of the first picture against every face of the second one.
         */
        readonly post: operations["compare_faces"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/face-recognition/extract-embedding": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Embeddings of faces
         * Of the most prominent face, or of all. A face is not kept by this, but its embedding is cached where the cache is on.
         */
        readonly post: operations["extract_embedding"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/face-recognition/match-face": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Whom a face is most like
         * A picture or an embedding against candidates that the request brings along, or against everybody who is enrolled where it brings none.
         */
        readonly post: operations["match_face"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/face-recognition/statistics": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** What is enrolled, and with what */
        readonly get: operations["statistics"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/face-recognition/switch-model": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Serves with another engine from now on
         * It is opened and warmed first; calls that run end with the old one, and none is dropped. Where it cannot be opened the old one goes on serving.
         */
        readonly post: operations["switch_recognition_model"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/identify": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Who is this?
         * Every face of a picture, or embeddings, against everybody who is enrolled in a collection.
         */
        readonly post: operations["identify"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/identify/batch": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Who is this? Many pictures
         * A picture that cannot be read has its problem in its place; the others are answered.
         */
        readonly post: operations["identify_batch"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/import": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Enrol what an export holds
         * The body is read as it comes, and may take as long as it needs: `server.request_timeout_ms` is the longest pause in it. Persons that came before a fault, or before the connection broke, stay: send it again with `on_existing=skip`.
         */
        readonly post: operations["import_gallery"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/keys": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** All API keys, revoked and expired ones too */
        readonly get: operations["list_keys"];
        readonly put?: never;
        /** Makes an API key; only this answer shows it */
        readonly post: operations["create_key"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/keys/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /** Revokes an API key, at once and for good */
        readonly delete: operations["revoke_key"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/landmarks": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Find 68 landmarks
         * Landmarks and pose of every face.
         */
        readonly post: operations["landmarks"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/landmarks/batch": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Find 68 landmarks, in many pictures
         * A picture that cannot be read has its problem in its place; the others are answered.
         */
        readonly post: operations["landmarks_batch"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/mesh": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Rebuild a face as a surface
         * The most prominent face as a textured surface with levels of detail, glTF 2.0 (GLB), metres. The shape is a prior fitted to the picture, not a measurement.
         */
        readonly post: operations["mesh"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/models/catalogue": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** All models: of the starter pack, that can be fetched, of private cards */
        readonly get: operations["list_models"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/models/catalogue/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** A model and its card */
        readonly get: operations["show_model"];
        readonly put?: never;
        readonly post?: never;
        /** Deletes the file of a downloaded model; an engine that has it open keeps serving */
        readonly delete: operations["remove_model"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/models/catalogue/{id}/download": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** How far the last download of a model is */
        readonly get: operations["model_download"];
        readonly put?: never;
        /**
         * Fetches a model, or says how far that is
         * Answers at once; ask again by GET until it is done, or listen to its events. Its licence must have been accepted. What is here already is verified.
         */
        readonly post: operations["download_model"];
        /** Ends a download; what came is kept */
        readonly delete: operations["cancel_model_download"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/models/catalogue/{id}/download/events": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * How far the last download of a model is, as it goes on
         * Server-sent events, the `data` of each a `ModelDownload`: one at once, one for each change, and the last when the download has ended, which ends the answer. Who reads slowly is told less often, and of the newest state. Lines that begin with a colon come where there is nothing to tell.
         */
        readonly get: operations["watch_model_download"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/models/licences/{licence_id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Accepts a licence by its name, lastingly */
        readonly post: operations["accept_licence"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/models/load": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Opens an engine, so that its first call does not wait */
        readonly post: operations["load_model"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/models/loaded": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Engines that are open, and those that can be */
        readonly get: operations["list_engines"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/models/memory": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Memory that networks take, and what is free */
        readonly get: operations["model_memory"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/models/select": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Which engine suits a requirement and the memory that is free; nothing is changed */
        readonly post: operations["select_model"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/models/switch": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Serves with another engine from now on
         * It is opened and warmed first; calls that run end with the old one, and none is dropped. Where it cannot be opened the old one goes on serving.
         */
        readonly post: operations["switch_model"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/models/unload": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Closes an engine once its calls have ended; not the current one */
        readonly post: operations["unload_model"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/operations": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Changes of persons that can be taken back, newest first
         * Updates, merges, splits and feedback. Erasing a person erases those that name it.
         */
        readonly get: operations["list_operations"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/operations/{id}/undo": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Take a change back
         * What it touched is as before; samples that were enrolled or erased since stay so. Of several changes of a person the newest comes first.
         */
        readonly post: operations["undo_operation"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/performance": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Counts, rates and times of every route, engine and queue, and memory in use */
        readonly get: operations["performance"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/persons": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Persons, page by page */
        readonly get: operations["list_persons"];
        readonly put?: never;
        /**
         * Enrol a person
         * The most prominent face of each picture becomes a sample: all of them, or none. Pictures come as `image` or `images`; an id is made where `person` names none.
         */
        readonly post: operations["create_person"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/persons/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** A person with all samples */
        readonly get: operations["get_person"];
        /** Set name and metadata of a person */
        readonly put: operations["put_person"];
        readonly post?: never;
        /**
         * Erase a person
         * Rows, vectors, thumbnails, cache and log are overwritten; the receipt is signed. Cannot be undone.
         */
        readonly delete: operations["delete_person"];
        readonly options?: never;
        readonly head?: never;
        /** Change id, name or metadata of a person */
        readonly patch: operations["patch_person"];
        readonly trace?: never;
    };
    readonly "/api/v1/persons/{id}/feedback": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * This face is not that person
         * The most prominent face of a picture, an embedding, or a sample of somebody else. Faces that are nearer to it than to the person's samples are not taken for that person any more (`set_aside`); its embedding is kept for that, the picture is not.
         */
        readonly post: operations["not_this_person"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/persons/{id}/merge": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Two persons are one
         * Samples of `from` become those of the person of the address, and `from` goes.
         */
        readonly post: operations["merge_persons"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/persons/{id}/samples": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Samples of a person */
        readonly get: operations["list_samples"];
        readonly put?: never;
        /**
         * Add samples to a person
         * As `enrol`, for the person of the address, who is made where there is none.
         */
        readonly post: operations["add_samples"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/persons/{id}/split": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * One person is two
         * Some samples of the person of the address become those of a new person, who is the answer.
         */
        readonly post: operations["split_person"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/persons/{id}/verify": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Is this the person it is said to be?
         * The most prominent face of a picture, or an embedding, against the samples of a person.
         */
        readonly post: operations["verify_person"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/purge-expired": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Erase samples whose time is over
         * And the persons who have none left.
         */
        readonly post: operations["purge_expired"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/quality": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Judge pictures of faces
         * Components of image quality, a unified score, and hints for the person in front of the camera.
         */
        readonly post: operations["quality"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/quality/batch": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Judge pictures of faces, in many pictures
         * A picture that cannot be read has its problem in its place; the others are answered.
         */
        readonly post: operations["quality_batch"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/receipts": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Receipts of deletions, newest first */
        readonly get: operations["list_receipts"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/receipts/verify": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Whether a receipt is genuine */
        readonly post: operations["verify_receipt"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/samples/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /** Erase a sample */
        readonly delete: operations["delete_sample"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/samples/{id}/thumbnail": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * The kept picture of a face
         * There is one where the configuration keeps them (`data.keep_images`).
         */
        readonly get: operations["get_thumbnail"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/similarity": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * How alike two faces are
         * Of two pictures, two embeddings, or one of each. What a similarity means depends on the model: `verify` decides.
         */
        readonly post: operations["similarity"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/tickets": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** A ticket that opens one WebSocket soon: browsers cannot send a key there */
        readonly post: operations["create_ticket"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/verify": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Are these the same person?
         * Compares the most prominent face of each picture, at a threshold or at a false match rate; at the default rate of the calibration without either.
         */
        readonly post: operations["verify"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/verify/batch": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Are these the same persons? Many pairs
         * Pictures follow one another in pairs: the first with the second, the third with the fourth, and so on.
         */
        readonly post: operations["verify_batch"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/health": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Whether the process lives; it answers under any load */
        readonly get: operations["health"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/metrics": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Metrics in the text format of Prometheus */
        readonly get: operations["metrics"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ready": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Whether models are loaded, the store can be written and the index is at its revision */
        readonly get: operations["ready"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** AcceptedLicence */
        readonly AcceptedLicence: {
            /** Short name of a licence */
            readonly licence_id: string;
            /** Models that may be fetched now */
            readonly models: readonly string[];
        };
        /** AnalyzeBatch */
        readonly AnalyzeBatch: {
            /** Items with an error */
            readonly failed: number;
            /** One for each item, in their order: either the answer, or `error` */
            readonly results: readonly {
                readonly error?: components["schemas"]["ItemProblem"];
                /** Best score first; empty where there is none */
                readonly faces?: readonly components["schemas"]["Face"][];
                /** Of the picture as it is shown, pixels */
                readonly height?: number;
                /** Index of the picture in the request */
                readonly index: number;
                /** Model of the embeddings, where they were asked for */
                readonly model?: string;
                /** Of the picture as it is shown, pixels */
                readonly width?: number;
            }[];
            /** Items that were answered */
            readonly succeeded: number;
        };
        /**
         * ApiKey
         * An API key, without its secret
         */
        readonly ApiKey: {
            /** When it was made; ms since the epoch, UTC */
            readonly created_at: number;
            /** When it ends; never when absent; ms since the epoch, UTC */
            readonly expires_at?: number;
            /** Part of the key that is no secret; named in logs and in the audit trail */
            readonly id: string;
            /** When it was used last; never when absent; ms since the epoch, UTC */
            readonly last_used_at?: number;
            /** What it is for, for people */
            readonly name: string;
            readonly revoked: boolean;
            /** Each holds the ones before it */
            readonly scopes: readonly ("read" | "enrol" | "admin")[];
        };
        /** ApiKeys */
        readonly ApiKeys: {
            /** The oldest first */
            readonly keys: readonly components["schemas"]["ApiKey"][];
        };
        /** AuditCheck */
        readonly AuditCheck: {
            /** The first entry that is not as it was written */
            readonly broken?: number;
            readonly entries: number;
            /** Hash of the last entry: keep both elsewhere, and give them to a later check */
            readonly hash: string;
            /** Number of the last entry */
            readonly number: number;
            /** Nothing was changed, taken out or cut off */
            readonly ok: boolean;
        };
        /** AuditEntries */
        readonly AuditEntries: {
            /** For the next page; absent where there is none */
            readonly before?: number;
            /** Newest first */
            readonly entries: readonly components["schemas"]["AuditEntry"][];
        };
        /** AuditEntry */
        readonly AuditEntry: {
            readonly action: string;
            /** Id of a key, token:SUBJECT, anonymous, or service */
            readonly actor: string;
            /** When it was done; ms since the epoch, UTC */
            readonly at: number;
            /** What else there is to say; neither persons nor secrets */
            readonly detail: unknown;
            /** SHA-256 over all of this */
            readonly hash: string;
            /** From 1 on, without gaps */
            readonly number: number;
            /** Hash of the entry before */
            readonly previous: string;
            /** Digest of the person whom it concerns */
            readonly subject?: string;
        };
        /**
         * Box
         * [x, y, width, height] in pixels of the picture as it is shown (EXIF orientation applied): x right, y down, origin at the top-left corner. May reach beyond the picture.
         */
        readonly Box: readonly number[];
        /**
         * Camera
         * A camera, with its counts since the start
         */
        readonly Camera: {
            readonly id: string;
            /** opening, running, lost, ended or failed */
            readonly state: string;
            /** People who are followed now */
            readonly tracks?: number;
        } & {
            readonly [key: string]: unknown;
        };
        /** Candidate */
        readonly Candidate: {
            readonly collection: string;
            /** False match rate of one comparison at this similarity */
            readonly fmr?: number;
            /** What the number of templates makes of it */
            readonly fpir?: number;
            /** At or above the threshold */
            readonly match: boolean;
            readonly name?: string;
            /** Id */
            readonly person: string;
            /** Both rates are upper bounds */
            readonly rates_at_most?: boolean;
            /** The one that is most similar */
            readonly sample: string;
            /** Cosine of the embeddings, −1 to 1 */
            readonly similarity: number;
        };
        /**
         * CatalogueModel
         * A model of the catalogue
         */
        readonly CatalogueModel: {
            /** Its licence was accepted: it may be fetched */
            readonly accepted: boolean;
            /** Size of the file; absent where not known yet */
            readonly bytes?: number;
            /** Its licence allows use in products */
            readonly commercial: boolean;
            /** Id of a model */
            readonly id: string;
            /** What its licence says, in short */
            readonly licence: string;
            /** Short name of a licence */
            readonly licence_id: string;
            /** Where the licence can be read */
            readonly licence_url?: string;
            /**
             * starter: part of the starter pack. catalogue: can be fetched. private: of a card of the operator.
             * @enum {string}
             */
            readonly origin: "starter" | "catalogue" | "private";
            /** Names of what it is published in, such as buffalo_l */
            readonly sets: readonly string[];
            /** Of the file, hexadecimal; absent where not known yet */
            readonly sha256?: string;
            /**
             * Whether its file is here
             * @enum {string}
             */
            readonly state: "present" | "absent" | "downloading";
            /** What it is for, such as face-detection */
            readonly task: string;
            readonly title: string;
            /**
             * published: the hash comes with the card. first-use: it is the one that was seen first. unknown: none is published, and nothing was fetched yet.
             * @enum {string}
             */
            readonly trust: "published" | "first-use" | "unknown";
        };
        /**
         * CatalogueModelDetail
         * A model and its card
         */
        readonly CatalogueModelDetail: {
            /** Its licence was accepted: it may be fetched */
            readonly accepted: boolean;
            /** Size of the file; absent where not known yet */
            readonly bytes?: number;
            /** Its licence allows use in products */
            readonly commercial: boolean;
            /** Id of a model */
            readonly id: string;
            readonly input: {
                /** RGB, BGR or GRAY */
                readonly colour: string;
                readonly height: number;
                readonly width: number;
            };
            /** What its licence says, in short */
            readonly licence: string;
            /** Short name of a licence */
            readonly licence_id: string;
            /** Where the licence can be read */
            readonly licence_url?: string;
            /** How to come by it where no address gives it */
            readonly obtain?: string;
            /**
             * starter: part of the starter pack. catalogue: can be fetched. private: of a card of the operator.
             * @enum {string}
             */
            readonly origin: "starter" | "catalogue" | "private";
            readonly outputs: readonly {
                readonly meaning: string;
                readonly name: string;
            }[];
            /** Names of what it is published in, such as buffalo_l */
            readonly sets: readonly string[];
            /** Of the file, hexadecimal; absent where not known yet */
            readonly sha256?: string;
            /** Where it is fetched from, in this order; mirrors of the configuration come first */
            readonly sources: readonly {
                /** File inside, where it is an archive */
                readonly member?: string;
                /** Without credentials and query */
                readonly url: string;
            }[];
            /**
             * Whether its file is here
             * @enum {string}
             */
            readonly state: "present" | "absent" | "downloading";
            /** What it is for, such as face-detection */
            readonly task: string;
            readonly title: string;
            /** What is known of the photographs that it learned from */
            readonly training_data: string;
            /**
             * published: the hash comes with the card. first-use: it is the one that was seen first. unknown: none is published, and nothing was fetched yet.
             * @enum {string}
             */
            readonly trust: "published" | "first-use" | "unknown";
        };
        /** CatalogueModels */
        readonly CatalogueModels: {
            readonly models: readonly components["schemas"]["CatalogueModel"][];
        };
        /** ChangedPerson */
        readonly ChangedPerson: {
            /** Enrolled; ms since the epoch, UTC */
            readonly created_at: number;
            /** Unique in the gallery */
            readonly id: string;
            /** As it was given */
            readonly metadata?: unknown;
            /** As it was given */
            readonly name?: string;
            /** What was done: undoing it takes it back */
            readonly operation: number;
            /** In the order of their enrolment */
            readonly samples: readonly components["schemas"]["Sample"][];
            /** Last change of id, name or metadata; ms since the epoch, UTC */
            readonly updated_at: number;
        };
        /** Collection */
        readonly Collection: {
            /** Made; ms since the epoch, UTC */
            readonly created_at: number;
            /** Numbers in an embedding */
            readonly dims: number;
            /** Model of all its embeddings */
            readonly model: string;
            /** SHA-256 (hex) over the networks behind the model */
            readonly model_hash?: string;
            readonly name: string;
            /** Expired ones included */
            readonly samples: number;
            /** Whatever the application keeps with it */
            readonly settings: unknown;
        };
        /** CollectionList */
        readonly CollectionList: {
            readonly collections: readonly components["schemas"]["Collection"][];
        };
        /** CollectionPost */
        readonly CollectionPost: {
            /** Without control characters */
            readonly name: string;
            /** Whatever the application keeps with it: JSON, at most 64 KiB */
            readonly settings?: unknown;
        };
        /** Comparison */
        readonly Comparison: {
            /** No network ran for the embeddings: the pictures were seen before */
            readonly cached: boolean;
            /** Every face of the second picture, the most similar first */
            readonly faces: readonly {
                readonly box: components["schemas"]["Box"];
                readonly is_match: boolean;
                /** Confidence of the detector */
                readonly score: number;
                /** Cosine of the embeddings, −1 to 1 */
                readonly similarity_score: number;
            }[];
            /** False match rate at the threshold; absent where the calibration does not reach */
            readonly fmr?: number;
            /** The similarity is at or above the threshold */
            readonly is_match: boolean;
            /** Model of the embeddings */
            readonly model: string;
            /** Cosine of the embeddings, −1 to 1 */
            readonly similarity_score: number;
            readonly source?: components["schemas"]["FoundFace"];
            /**
             * The same as `is_match`, as a word
             * @enum {string}
             */
            readonly status: "match" | "no_match";
            /** Cosine from which on two faces are taken for one */
            readonly threshold_used: number;
        };
        /**
         * CreatedApiKey
         * A new API key
         */
        readonly CreatedApiKey: {
            /** When it was made; ms since the epoch, UTC */
            readonly created_at: number;
            /** When it ends; never when absent; ms since the epoch, UTC */
            readonly expires_at?: number;
            /** Part of the key that is no secret; named in logs and in the audit trail */
            readonly id: string;
            /** The key itself: shown here and never again */
            readonly key: string;
            /** When it was used last; never when absent; ms since the epoch, UTC */
            readonly last_used_at?: number;
            /** What it is for, for people */
            readonly name: string;
            readonly revoked: boolean;
            /** Each holds the ones before it */
            readonly scopes: readonly ("read" | "enrol" | "admin")[];
        };
        /** DetectBatch */
        readonly DetectBatch: {
            /** Items with an error */
            readonly failed: number;
            /** One for each item, in their order: either the answer, or `error` */
            readonly results: readonly {
                readonly error?: components["schemas"]["ItemProblem"];
                /** Best score first; empty where there is none */
                readonly faces?: readonly components["schemas"]["Face"][];
                /** Of the picture as it is shown, pixels */
                readonly height?: number;
                /** Index of the picture in the request */
                readonly index: number;
                /** Model of the embeddings, where they were asked for */
                readonly model?: string;
                /** Of the picture as it is shown, pixels */
                readonly width?: number;
            }[];
            /** Items that were answered */
            readonly succeeded: number;
        };
        /**
         * Engine
         * A choice of networks under a name
         */
        readonly Engine: {
            /** What its networks hold, an upper bound; what they would where it is not open */
            readonly bytes: number;
            /** Answers the requests that name none */
            readonly current: boolean;
            /** Numbers of an embedding */
            readonly dims: number;
            /** Why it could not be opened; the log tells more */
            readonly error?: {
                /** Stable: to be matched on */
                readonly code: string;
                readonly title: string;
            };
            /** When it was used last; never when absent; ms since the epoch, UTC */
            readonly last_used_at?: number;
            /** Recogniser of its embeddings */
            readonly model: string;
            /** Name of an engine, as /api/v1/models/loaded lists them */
            readonly name: string;
            /** Calls that run */
            readonly running: number;
            /**
             * absent: not open, and opened when it is asked for. failed: it could not be opened the last time; it is tried again when it is asked for.
             * @enum {string}
             */
            readonly state: "absent" | "loading" | "ready" | "closing" | "failed";
        };
        /** EngineList */
        readonly EngineList: {
            /** Name of an engine, as /api/v1/models/loaded lists them */
            readonly current: string;
            /** Those that are open, and those that can be */
            readonly engines: readonly components["schemas"]["Engine"][];
        };
        /** EngineName */
        readonly EngineName: {
            /** Name of an engine, as /api/v1/models/loaded lists them */
            readonly name: string;
        };
        /** EnrolBatch */
        readonly EnrolBatch: {
            /** Items with an error */
            readonly failed: number;
            /** One for each item, in their order: either the answer, or `error` */
            readonly results: readonly {
                /** No network ran for the embeddings: the pictures were seen before */
                readonly cached?: boolean;
                /** Faces that look like somebody else who is enrolled */
                readonly conflicts?: readonly {
                    /** False match rate of one comparison at this similarity */
                    readonly fmr?: number;
                    /** Of the picture or embedding in the request */
                    readonly index: number;
                    /** As whom the face is enrolled already */
                    readonly person: string;
                    /** Cosine of the embeddings, −1 to 1 */
                    readonly similarity: number;
                }[];
                /** The person was not there before */
                readonly created?: boolean;
                readonly error?: components["schemas"]["ItemProblem"];
                /** Index of the picture or embedding in the request */
                readonly index: number;
                /** Id of the person */
                readonly person?: string;
                /** What was left out */
                readonly rejected?: readonly {
                    /** Of the picture or embedding in the request */
                    readonly index: number;
                    /** 0–100 */
                    readonly quality: number;
                    /** `quality` */
                    readonly reason: string;
                }[];
                /** Ids of the new samples; they are on the disk and searchable */
                readonly samples?: readonly string[];
            }[];
            /** Items that were answered */
            readonly succeeded: number;
        };
        /** Enrolment */
        readonly Enrolment: {
            /** No network ran for the embeddings: the pictures were seen before */
            readonly cached: boolean;
            /** Faces that look like somebody else who is enrolled */
            readonly conflicts: readonly {
                /** False match rate of one comparison at this similarity */
                readonly fmr?: number;
                /** Of the picture or embedding in the request */
                readonly index: number;
                /** As whom the face is enrolled already */
                readonly person: string;
                /** Cosine of the embeddings, −1 to 1 */
                readonly similarity: number;
            }[];
            /** The person was not there before */
            readonly created: boolean;
            /** Id of the person */
            readonly person: string;
            /** What was left out */
            readonly rejected: readonly {
                /** Of the picture or embedding in the request */
                readonly index: number;
                /** 0–100 */
                readonly quality: number;
                /** `quality` */
                readonly reason: string;
            }[];
            /** Ids of the new samples; they are on the disk and searchable */
            readonly samples: readonly string[];
        };
        /** Erasure */
        readonly Erasure: {
            /** Persons who are gone */
            readonly persons: number;
            readonly receipt: components["schemas"]["Receipt"];
            /** Samples that are gone */
            readonly samples: number;
            /** References to pictures, as they were given: deleting them is up to their keeper */
            readonly sources: readonly string[];
        };
        /**
         * Event
         * What happened; further fields depend on the type
         */
        readonly Event: {
            readonly camera: string;
            /** UUID version 7: sorts by time */
            readonly id: string;
            /** Of the frame, ms since the epoch, UTC */
            readonly timestamp: number;
            readonly type: string;
        } & {
            readonly [key: string]: unknown;
        };
        /** Extraction */
        readonly Extraction: {
            /** No network ran for the embeddings: the pictures were seen before */
            readonly cached: boolean;
            /** Numbers in an embedding */
            readonly dims: number;
            /** Best score first; empty where there is none */
            readonly faces: readonly {
                readonly box: components["schemas"]["Box"];
                readonly embedding: components["schemas"]["Vector"];
                /** Confidence of the detector */
                readonly score: number;
            }[];
            /** Give it along when the embeddings come back in a request */
            readonly model: string;
        };
        /**
         * Face
         * A face; what was not asked for, or cannot be said, is absent
         */
        readonly Face: {
            /** Action units that landmarks can see */
            readonly action_units?: {
                /** What they are relative to: `person` or `population` */
                readonly baseline: string;
                /** By unit (AU1, AU2, …), 0–5 */
                readonly intensity: {
                    readonly [key: string]: number;
                };
            };
            /** Years, expected value */
            readonly age?: number;
            readonly box: components["schemas"]["Box"];
            /** Of length 1; comparable only with embeddings of the same model */
            readonly embedding?: readonly number[];
            /** Brightness of the box */
            readonly exposure?: {
                /** Standard deviation of luma, 0–255 */
                readonly contrast: number;
                /** Luma, 0–255 */
                readonly mean: number;
                /** Share of pixels that are clipped to white */
                readonly overexposed: number;
                /** Share of pixels that are clipped to black */
                readonly underexposed: number;
            };
            /** Of one network */
            readonly expression?: {
                /**
                 * What the face shows, as the network was taught to name it; not what the person feels
                 * @enum {string}
                 */
                readonly label: "neutral" | "happy" | "sad" | "angry" | "fearful" | "disgusted" | "surprised";
                /** Of each label; they add up to 1 */
                readonly probabilities: {
                    /** Probability */
                    readonly angry: number;
                    /** Probability */
                    readonly disgusted: number;
                    /** Probability */
                    readonly fearful: number;
                    /** Probability */
                    readonly happy: number;
                    /** Probability */
                    readonly neutral: number;
                    /** Probability */
                    readonly sad: number;
                    /** Probability */
                    readonly surprised: number;
                };
                /** Of the label */
                readonly probability: number;
            };
            /** Two networks and the action units, joined */
            readonly expression_reading?: {
                /** Calm −1 to excited 1 */
                readonly arousal: number;
                /** How strongly it is shown, 0–5 */
                readonly intensity: number;
                /**
                 * What the face shows, as the network was taught to name it; not what the person feels
                 * @enum {string}
                 */
                readonly label: "neutral" | "happy" | "sad" | "angry" | "fearful" | "disgusted" | "surprised";
                /** Of each label; they add up to 1 */
                readonly probabilities: {
                    /** Probability */
                    readonly angry: number;
                    /** Probability */
                    readonly disgusted: number;
                    /** Probability */
                    readonly fearful: number;
                    /** Probability */
                    readonly happy: number;
                    /** Probability */
                    readonly neutral: number;
                    /** Probability */
                    readonly sad: number;
                    /** Probability */
                    readonly surprised: number;
                };
                /** Of the label */
                readonly probability: number;
                /** Unpleasant −1 to pleasant 1 */
                readonly valence: number;
            };
            /** Perceived gender, as the network was taught to name it */
            readonly gender?: {
                /**
                 * Label
                 * @enum {string}
                 */
                readonly label: "female" | "male";
                /** Of the label, 0.5–1 */
                readonly probability: number;
            };
            /** Measures by id: lengths over the distance of the outer corners of the eyes, indices in percent, angles in degrees */
            readonly geometry?: {
                readonly [key: string]: number;
            };
            /** The head in six degrees of freedom */
            readonly head_pose?: {
                /** How far the fit is to be trusted */
                readonly confidence: number;
                /** Degrees, as in pose */
                readonly pitch: number;
                /** How far landmarks and model lie apart */
                readonly reprojection_error: {
                    /** Root mean square, pixels */
                    readonly pixels: number;
                    /** Over the head's inter-ocular distance */
                    readonly relative: number;
                };
                /** Degrees, as in pose */
                readonly roll: number;
                /** Of the head from the camera, centimetres: right, down, away; as large as the mean head is for the person */
                readonly translation: readonly number[];
                /** Degrees, as in pose */
                readonly yaw: number;
            };
            readonly landmarks?: components["schemas"]["Landmarks"];
            /** 12 points of the lids, in the order of landmarks 36 to 47 */
            readonly lids?: readonly components["schemas"]["Point"][];
            readonly pose?: components["schemas"]["Pose"];
            readonly quality?: components["schemas"]["Quality"];
            /** Confidence of the detector */
            readonly score: number;
            /** Variance of the Laplacian of luma inside the box */
            readonly sharpness?: number;
            /** Shorter side of the box, pixels */
            readonly size?: number;
            /** Left and right of the face compared */
            readonly symmetry?: {
                /** Percent of the distance of the outer corners of the eyes */
                readonly asymmetry: number;
                /** Score of brows, eyes, nose, mouth and jaw, 0–100 */
                readonly regions: {
                    readonly [key: string]: number;
                };
                /** 100 is a face that is its own mirror image */
                readonly score: number;
            };
        };
        /** Faces */
        readonly Faces: {
            /** Best score first; empty where there is none */
            readonly faces: readonly components["schemas"]["Face"][];
            /** Of the picture as it is shown, pixels */
            readonly height: number;
            /** Model of the embeddings, where they were asked for */
            readonly model?: string;
            /** Of the picture as it is shown, pixels */
            readonly width: number;
        };
        /** Feedback */
        readonly Feedback: {
            /** What was done: undoing it takes it back */
            readonly operation: number;
            /** Id of the person */
            readonly person: string;
        };
        /**
         * FoundFace
         * Where the face that was compared is
         */
        readonly FoundFace: {
            readonly box: components["schemas"]["Box"];
            /** Confidence of the detector */
            readonly score: number;
        };
        /**
         * Health
         * The process lives and answers
         */
        readonly Health: {
            /** @enum {string} */
            readonly status: "ok";
            readonly uptime_seconds: number;
        };
        /** Identification */
        readonly Identification: {
            /** No network ran for the embeddings: the picture was seen before */
            readonly cached: boolean;
            /** Best score first, or in the order of the embeddings; empty where there is no face */
            readonly faces: readonly components["schemas"]["IdentifiedFace"][];
            /** False match rate at the threshold */
            readonly fmr?: number;
            /** Templates that each face was compared with */
            readonly searched: number;
            /** Cosine from which on a candidate is a match; absent without a face */
            readonly threshold?: number;
        };
        /**
         * IdentifiedFace
         * A face (or embedding) of the request, and who it may be; `match` is absent for strangers
         */
        readonly IdentifiedFace: {
            readonly box?: components["schemas"]["Box"];
            /** Best first; also those below the threshold */
            readonly candidates: readonly components["schemas"]["Candidate"][];
            readonly match?: components["schemas"]["Candidate"];
            /** Confidence of the detector */
            readonly score?: number;
            /** Whom feedback ruled out, "not this person"; absent where nobody was */
            readonly set_aside?: readonly components["schemas"]["SetAside"][];
        };
        /** IdentifyBatch */
        readonly IdentifyBatch: {
            /** Items with an error */
            readonly failed: number;
            /** One for each item, in their order: either the answer, or `error` */
            readonly results: readonly {
                /** No network ran for the embeddings: the picture was seen before */
                readonly cached?: boolean;
                readonly error?: components["schemas"]["ItemProblem"];
                /** Best score first, or in the order of the embeddings; empty where there is no face */
                readonly faces?: readonly components["schemas"]["IdentifiedFace"][];
                /** False match rate at the threshold */
                readonly fmr?: number;
                /** Index of the picture in the request */
                readonly index: number;
                /** Templates that each face was compared with */
                readonly searched?: number;
                /** Cosine from which on a candidate is a match; absent without a face */
                readonly threshold?: number;
            }[];
            /** Items that were answered */
            readonly succeeded: number;
        };
        /** ImportSummary */
        readonly ImportSummary: {
            /** Persons who were not there before */
            readonly created: number;
            /** Samples left out because their time was over */
            readonly expired: number;
            /** Samples that were enrolled */
            readonly samples: number;
            /** Persons left out because they were there */
            readonly skipped: number;
        };
        /**
         * ItemProblem
         * What went wrong with this item; the others are not touched by it
         */
        readonly ItemProblem: {
            /** Stable: to be matched on */
            readonly code: string;
            /** What is wrong, for people */
            readonly detail: string;
            /** What to do about it */
            readonly fix?: string;
            /** HTTP status that it would have had alone */
            readonly status: number;
        };
        /**
         * Landmarks
         * 68 points in the order of iBUG 300-W: jaw 0–16, brows 17–26, nose 27–35, eyes 36–47, mouth 48–67. Left and right are those of the picture.
         */
        readonly Landmarks: readonly components["schemas"]["Point"][];
        /** LandmarksBatch */
        readonly LandmarksBatch: {
            /** Items with an error */
            readonly failed: number;
            /** One for each item, in their order: either the answer, or `error` */
            readonly results: readonly {
                readonly error?: components["schemas"]["ItemProblem"];
                /** Best score first; empty where there is none */
                readonly faces?: readonly components["schemas"]["Face"][];
                /** Of the picture as it is shown, pixels */
                readonly height?: number;
                /** Index of the picture in the request */
                readonly index: number;
                /** Model of the embeddings, where they were asked for */
                readonly model?: string;
                /** Of the picture as it is shown, pixels */
                readonly width?: number;
            }[];
            /** Items that were answered */
            readonly succeeded: number;
        };
        /** MatchAnswer */
        readonly MatchAnswer: {
            /** No network ran for the embeddings: the pictures were seen before */
            readonly cached: boolean;
            readonly face?: components["schemas"]["FoundFace"];
            /** Some candidate is at or above the threshold */
            readonly is_match: boolean;
            /** Most similar first */
            readonly matches: readonly {
                /** Of the candidate, or of the enrolled person */
                readonly id: string;
                readonly is_match: boolean;
                /** Of the enrolled person */
                readonly name?: string;
                /** Cosine of the embeddings, −1 to 1 */
                readonly similarity_score: number;
            }[];
            /**
             * The same as `is_match`, as a word
             * @enum {string}
             */
            readonly status: "match" | "no_match";
            /** Cosine from which on two faces are taken for one */
            readonly threshold_used: number;
        };
        /**
         * ModelDownload
         * How far a download is
         */
        readonly ModelDownload: {
            /** When it ended; absent while it runs; ms since the epoch, UTC */
            readonly ended_at?: number;
            /** Why it failed */
            readonly error?: {
                /** Stable: to be matched on */
                readonly code: string;
                /** What each address said */
                readonly detail?: string;
                readonly title: string;
            };
            /** Id of a model */
            readonly id: string;
            /** Bytes so far, those of earlier tries included */
            readonly received: number;
            /** Bytes that were there from an earlier try */
            readonly resumed: number;
            /** Address that is being fetched, without credentials */
            readonly source?: string;
            /** When it began; ms since the epoch, UTC */
            readonly started_at: number;
            /**
             * failed and cancelled: what came is kept, and a new request goes on there.
             * @enum {string}
             */
            readonly state: "running" | "done" | "failed" | "cancelled";
            /** Bytes in all; absent while not known */
            readonly total?: number;
        };
        /** ModelMemory */
        readonly ModelMemory: {
            /** Bytes that networks may hold; no limit when absent */
            readonly budget?: number;
            readonly devices: readonly {
                /** cpu, or a GPU's name with its number */
                readonly device: string;
                /** Bytes that are really free now */
                readonly free: number;
                /**
                 * cgroup: the limit of a container. system: the operating system. nvml: the driver of the GPU.
                 * @enum {string}
                 */
                readonly source: "cgroup" | "system" | "nvml";
                /** Bytes */
                readonly total: number;
            }[];
            /** Bytes that open networks hold, an upper bound; shared ones count once */
            readonly used: number;
        };
        /** ModelRequirement */
        readonly ModelRequirement: {
            /**
             * speed: the quickest. accuracy: the one that finds and knows most faces. balanced: the quickest of those near the best. minimal_memory: the smallest. Of those that fit into the memory that is free now.
             * @enum {string}
             */
            readonly requirement: "speed" | "accuracy" | "balanced" | "minimal_memory";
        };
        /** ModelSelection */
        readonly ModelSelection: {
            /** Absent where none fits into the memory that is free */
            readonly name?: string;
            readonly reason: string;
            /**
             * speed: the quickest. accuracy: the one that finds and knows most faces. balanced: the quickest of those near the best. minimal_memory: the smallest. Of those that fit into the memory that is free now.
             * @enum {string}
             */
            readonly requirement: "speed" | "accuracy" | "balanced" | "minimal_memory";
        };
        /** ModelSwitch */
        readonly ModelSwitch: {
            readonly collections: readonly {
                /** Recogniser that it was made with */
                readonly model: string;
                readonly name: string;
                /** Can be searched with the new engine: collections keep to the networks that they were made with */
                readonly searchable: boolean;
            }[];
            readonly engine: components["schemas"]["Engine"];
            /** Engine that served before; its calls end with it */
            readonly previous: string;
            /** Why this one, where a requirement was named */
            readonly reason?: string;
        };
        /** NewApiKey */
        readonly NewApiKey: {
            /** When it ends; never when absent; ms since the epoch, UTC */
            readonly expires_at?: number;
            /** What it is for, for people */
            readonly name: string;
            readonly scopes: readonly ("read" | "enrol" | "admin")[];
        };
        /** Operation */
        readonly Operation: {
            /** When it was done; ms since the epoch, UTC */
            readonly created_at: number;
            /** Grows: the newest has the largest */
            readonly id: number;
            /**
             * update: id, name or metadata. merge: two persons became one. split: one became two. feedback: "not this person".
             * @enum {string}
             */
            readonly kind: "update" | "merge" | "split" | "feedback";
            /** Ids of those whom it concerns, as they were then */
            readonly persons: readonly string[];
            /** It was taken back */
            readonly undone: boolean;
        };
        /** OperationList */
        readonly OperationList: {
            /** Newest first */
            readonly operations: readonly components["schemas"]["Operation"][];
        };
        /**
         * Performance
         * What the service has done, how long it took, and what it holds
         */
        readonly Performance: {
            readonly event_loop_delay_ms: {
                readonly max: number;
                readonly mean: number;
                readonly p50: number;
                readonly p99: number;
            };
            readonly gallery: {
                readonly index_bytes: number;
                readonly persons: number;
                readonly revision: number;
                readonly samples: number;
            };
            readonly inference: readonly {
                /** Since the start */
                readonly count: number;
                readonly errors?: number;
                /** Milliseconds */
                readonly ms: {
                    readonly max: number;
                    readonly mean: number;
                    readonly p50: number;
                    readonly p95: number;
                    readonly p99: number;
                };
                /** Model and operation */
                readonly operation: string;
                /** Over the last minute */
                readonly per_second: number;
            }[];
            readonly memory: {
                readonly external_bytes: number;
                readonly heap_total_bytes: number;
                readonly heap_used_bytes: number;
                readonly rss_bytes: number;
            };
            readonly models: {
                readonly budget_bytes?: number;
                readonly devices: readonly {
                    readonly device: string;
                    readonly free_bytes: number;
                    readonly source: string;
                    readonly total_bytes: number;
                }[];
                readonly engines: readonly {
                    readonly bytes: number;
                    readonly current: boolean;
                    readonly name: string;
                    readonly running: number;
                    readonly state: string;
                }[];
                /** Upper bound of what the open networks hold */
                readonly used_bytes: number;
            };
            readonly queue: readonly {
                /** Since the start */
                readonly count: number;
                readonly errors?: number;
                /** Milliseconds */
                readonly ms: {
                    readonly max: number;
                    readonly mean: number;
                    readonly p50: number;
                    readonly p95: number;
                    readonly p99: number;
                };
                /** Over the last minute */
                readonly per_second: number;
                /** Waiting times of work of this priority */
                readonly priority: string;
            }[];
            readonly requests: readonly {
                /** Since the start */
                readonly count: number;
                readonly errors?: number;
                /** Milliseconds */
                readonly ms: {
                    readonly max: number;
                    readonly mean: number;
                    readonly p50: number;
                    readonly p95: number;
                    readonly p99: number;
                };
                /** Over the last minute */
                readonly per_second: number;
                /** Method and pattern of the address */
                readonly route: string;
            }[];
            readonly scheduler: {
                readonly aborted: number;
                readonly bytes: number;
                readonly done: number;
                readonly expired: number;
                readonly refused: number;
                readonly running: number;
                /** Of the work itself, mean of the last ones */
                readonly service_ms: number;
                readonly waiting: number;
            };
            readonly uptime_seconds: number;
        };
        /** Person */
        readonly Person: {
            /** Enrolled; ms since the epoch, UTC */
            readonly created_at: number;
            /** Unique in the gallery */
            readonly id: string;
            /** As it was given */
            readonly metadata?: unknown;
            /** As it was given */
            readonly name?: string;
            /** In the order of their enrolment */
            readonly samples: readonly components["schemas"]["Sample"][];
            /** Last change of id, name or metadata; ms since the epoch, UTC */
            readonly updated_at: number;
        };
        /** PersonMerge */
        readonly PersonMerge: {
            /** Who is the same person */
            readonly from: string;
        };
        /** PersonPage */
        readonly PersonPage: {
            /** Give it as `after` to get the next page; absent on the last */
            readonly next?: string;
            /** In the order of their ids */
            readonly persons: readonly components["schemas"]["PersonSummary"][];
        };
        /**
         * PersonPatch
         * What is to change; what is absent stays
         */
        readonly PersonPatch: {
            /** Id of the person: any text without control characters */
            readonly id?: string;
            /** New metadata; null takes them away */
            readonly metadata?: unknown;
            /** A new name; null takes it away */
            readonly name?: string | null;
        };
        /**
         * PersonPut
         * Name and metadata as they are to be; what is absent is taken away
         */
        readonly PersonPut: {
            /** Whatever the application keeps with the person: JSON, at most 64 KiB */
            readonly metadata?: unknown;
            /** Name of the person, without control characters */
            readonly name?: string;
        };
        /**
         * PersonSplit
         * Samples of the new person, and its id (made where none is given), name and metadata
         */
        readonly PersonSplit: {
            /** Of the new person: JSON, at most 64 KiB */
            readonly metadata?: unknown;
            /** Name of the person, without control characters */
            readonly name?: string;
            /** Id of the person: any text without control characters */
            readonly person?: string;
            /** Which of the person's samples are somebody else's */
            readonly samples: readonly string[];
        };
        /** PersonSummary */
        readonly PersonSummary: {
            /** Enrolled; ms since the epoch, UTC */
            readonly created_at: number;
            /** Unique in the gallery */
            readonly id: string;
            /** As it was given */
            readonly metadata?: unknown;
            /** As it was given */
            readonly name?: string;
            /** Samples, expired ones included */
            readonly samples: number;
            /** Last change of id, name or metadata; ms since the epoch, UTC */
            readonly updated_at: number;
        };
        /** PersonVerification */
        readonly PersonVerification: {
            /** No network ran: the picture was seen before */
            readonly cached: boolean;
            /** Operation that ruled it out: undoing it takes that back */
            readonly feedback?: number;
            /** False match rate at the threshold */
            readonly fmr?: number;
            readonly is_match: boolean;
            /** Id */
            readonly person: string;
            /** Samples that were compared */
            readonly samples: number;
            /** Cosine of the embeddings, −1 to 1 */
            readonly similarity_score: number;
            /**
             * The same as `is_match`, as a word
             * @enum {string}
             */
            readonly status: "match" | "no_match";
            /** Cosine from which on it is a match */
            readonly threshold_used: number;
        };
        /**
         * Point
         * [x, y] in pixels of the picture, in the frame of the boxes; the centre of the first pixel is [0.5, 0.5]
         */
        readonly Point: readonly number[];
        /**
         * Pose
         * Orientation of the head, from the landmarks
         */
        readonly Pose: {
            /** Degrees; above 0 the face looks up */
            readonly pitch: number;
            /** Degrees; above 0 the head is tilted clockwise as seen in the picture */
            readonly roll: number;
            /** Degrees; above 0 the face turns towards the picture's right edge */
            readonly yaw: number;
        };
        /**
         * Problem
         * A failure (RFC 9457)
         */
        readonly Problem: {
            /** Stable: to be matched on */
            readonly code: string;
            /** What is wrong here, for people */
            readonly detail: string;
            /** What to do about it */
            readonly fix?: string;
            /** Id of the request, as in X-Request-Id and the log */
            readonly instance: string;
            readonly status: number;
            /** The same for all problems of this type */
            readonly title: string;
            /** urn:lineament:error:CODE */
            readonly type: string;
        };
        /** Purge */
        readonly Purge: {
            /** Persons who are gone */
            readonly persons: number;
            readonly receipt?: components["schemas"]["Receipt"];
            /** Samples that are gone */
            readonly samples: number;
        };
        /**
         * Quality
         * How well the picture of the face serves recognition
         */
        readonly Quality: {
            /** By name (after ISO/IEC 29794-5); what could not be measured is absent */
            readonly components: {
                readonly [key: string]: {
                    /** 100 is best */
                    readonly score: number;
                    /** Of the value */
                    readonly unit: string;
                    /** As measured */
                    readonly value: number;
                };
            };
            /** Hints for the person in front of the camera, most important first */
            readonly guidance: readonly {
                /** Stable */
                readonly code: string;
                /** The component that asks for it */
                readonly component: string;
                /** Plain English */
                readonly text: string;
            }[];
            /** Unified score of the picture of the face; 100 is best */
            readonly score: number;
        };
        /** QualityBatch */
        readonly QualityBatch: {
            /** Items with an error */
            readonly failed: number;
            /** One for each item, in their order: either the answer, or `error` */
            readonly results: readonly {
                readonly error?: components["schemas"]["ItemProblem"];
                /** Best score first; empty where there is none */
                readonly faces?: readonly components["schemas"]["Face"][];
                /** Of the picture as it is shown, pixels */
                readonly height?: number;
                /** Index of the picture in the request */
                readonly index: number;
                /** Model of the embeddings, where they were asked for */
                readonly model?: string;
                /** Of the picture as it is shown, pixels */
                readonly width?: number;
            }[];
            /** Items that were answered */
            readonly succeeded: number;
        };
        /**
         * Readiness
         * Whether requests can be answered, and what is missing where they cannot
         */
        readonly Readiness: {
            readonly checks: {
                readonly index: {
                    /** What is missing: a code, or a state */
                    readonly detail?: string;
                    readonly ok: boolean;
                };
                readonly models: {
                    /** What is missing: a code, or a state */
                    readonly detail?: string;
                    readonly ok: boolean;
                };
                readonly service: {
                    /** What is missing: a code, or a state */
                    readonly detail?: string;
                    readonly ok: boolean;
                };
                readonly store: {
                    /** What is missing: a code, or a state */
                    readonly detail?: string;
                    readonly ok: boolean;
                };
            };
            readonly status: "ready" | "not_ready";
        };
        /**
         * Receipt
         * What a deletion did, as the gallery signed it: its fields keep their names, for the signature is over them. Ids are in it as salted digests only.
         */
        readonly Receipt: {
            /** ISO 8601, UTC; when the deletion was committed */
            readonly at: string;
            readonly format: string;
            readonly gallery: string;
            readonly id: string;
            /** SPKI, base64 */
            readonly publicKey: string;
            /** Ed25519 over all other fields as canonical JSON; base64 */
            readonly signature: string;
            readonly version: number;
        } & {
            readonly [key: string]: unknown;
        };
        /** ReceiptCheck */
        readonly ReceiptCheck: {
            /** It speaks of the id */
            readonly covers?: boolean;
            /** This gallery signed it as it is */
            readonly valid: boolean;
        };
        /** ReceiptList */
        readonly ReceiptList: {
            /** Of the gallery, SPKI, base64: keep it elsewhere to check receipts by */
            readonly public_key: string;
            readonly receipts: readonly components["schemas"]["Receipt"][];
        };
        /**
         * Sample
         * One enrolled face
         */
        readonly Sample: {
            /** Where it is searched */
            readonly collection: string;
            /** Reference to a record of consent */
            readonly consent?: string;
            /** Enrolled; ms since the epoch, UTC */
            readonly created_at: number;
            /** It is not matched any more, and goes with the next purge */
            readonly expired: boolean;
            /** Not matched any more from then on; ms since the epoch, UTC */
            readonly expires_at?: number;
            /** Made by the gallery */
            readonly id: string;
            /** Id of the person */
            readonly person: string;
            /** 0–100; absent where not measured */
            readonly quality?: number;
            /** Reference to the picture, as it was given */
            readonly source?: string;
            /** A picture of the face is kept */
            readonly thumbnail: boolean;
        };
        /** SampleList */
        readonly SampleList: {
            readonly samples: readonly components["schemas"]["Sample"][];
        };
        /** SetAside */
        readonly SetAside: {
            /** Operation that ruled it out: undoing it takes that back */
            readonly feedback: number;
            /** Cosine of the face and the one that was rejected */
            readonly nearness: number;
            /** Id */
            readonly person: string;
            /** Cosine of the embeddings, −1 to 1 */
            readonly similarity: number;
        };
        /** SimilarityAnswer */
        readonly SimilarityAnswer: {
            /** No network ran for the embeddings: the pictures were seen before */
            readonly cached: boolean;
            /** Model of the embeddings */
            readonly model: string;
            /** Cosine of the embeddings, −1 to 1 */
            readonly similarity_score: number;
        };
        /** Statistics */
        readonly Statistics: {
            readonly bytes: {
                readonly database: number;
                /** In memory */
                readonly index: number;
                readonly log: number;
                readonly snapshots: number;
            };
            /** Faces in the cache */
            readonly cached_embeddings: number;
            readonly collections: number;
            readonly damaged_samples: number;
            /** Numbers in an embedding of it */
            readonly dims: number;
            /** Not matched any more, and not purged yet */
            readonly expired_samples: number;
            /** Recogniser in use */
            readonly model: string;
            readonly persons: number;
            /** Engine in use */
            readonly preset: string;
            /** Of the gallery; grows with each change */
            readonly revision: number;
            readonly samples: number;
            /** Templates are encrypted */
            readonly sealed: boolean;
            readonly uptime_seconds: number;
        };
        /**
         * SwitchModel
         * Either a name, or what is needed of it
         */
        readonly SwitchModel: {
            /** Name of an engine, as /api/v1/models/loaded lists them */
            readonly name?: string;
            /**
             * speed: the quickest. accuracy: the one that finds and knows most faces. balanced: the quickest of those near the best. minimal_memory: the smallest. Of those that fit into the memory that is free now.
             * @enum {string}
             */
            readonly requirement?: "speed" | "accuracy" | "balanced" | "minimal_memory";
        };
        /** Ticket */
        readonly Ticket: {
            /** When it ends, unless it was used; ms since the epoch, UTC */
            readonly expires_at: number;
            /** For the query of a WebSocket: `?ticket=…`. Good once */
            readonly ticket: string;
        };
        /**
         * Vector
         * An embedding: finite numbers, not all zero, as many as the model makes; any length is taken, 1 is given
         */
        readonly Vector: readonly number[];
        /** Verification */
        readonly Verification: {
            /** No network ran for the embeddings: the pictures were seen before */
            readonly cached: boolean;
            /** The face of each picture that was compared: the most prominent one */
            readonly faces: readonly components["schemas"]["FoundFace"][];
            /** False match rate at the threshold; absent where the calibration does not reach */
            readonly fmr?: number;
            /** The similarity is at or above the threshold */
            readonly is_match: boolean;
            /** Model of the embeddings */
            readonly model: string;
            /** Cosine of the embeddings, −1 to 1 */
            readonly similarity_score: number;
            /**
             * The same as `is_match`, as a word
             * @enum {string}
             */
            readonly status: "match" | "no_match";
            /** Cosine from which on two faces are taken for one */
            readonly threshold_used: number;
        };
        /** VerifyBatch */
        readonly VerifyBatch: {
            /** Items with an error */
            readonly failed: number;
            /** One for each item, in their order: either the answer, or `error` */
            readonly results: readonly {
                /** No network ran for the embeddings: the pictures were seen before */
                readonly cached?: boolean;
                readonly error?: components["schemas"]["ItemProblem"];
                /** The face of each picture that was compared: the most prominent one */
                readonly faces?: readonly components["schemas"]["FoundFace"][];
                /** False match rate at the threshold; absent where the calibration does not reach */
                readonly fmr?: number;
                /** Index of the pair */
                readonly index: number;
                /** The similarity is at or above the threshold */
                readonly is_match?: boolean;
                /** Model of the embeddings */
                readonly model?: string;
                /** Cosine of the embeddings, −1 to 1 */
                readonly similarity_score?: number;
                /**
                 * The same as `is_match`, as a word
                 * @enum {string}
                 */
                readonly status?: "match" | "no_match";
                /** Cosine from which on two faces are taken for one */
                readonly threshold_used?: number;
            }[];
            /** Items that were answered */
            readonly succeeded: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly analyze: {
        readonly parameters: {
            readonly query?: {
                /** What is measured, in a query or form as a,b; everything but `embedding` when absent */
                readonly include?: readonly ("landmarks" | "pose" | "head_pose" | "statistics" | "quality" | "geometry" | "symmetry" | "action_units" | "expression" | "expression_reading" | "age" | "gender" | "embedding")[];
                /** Only so many faces: those with the largest product of area and score */
                readonly max_faces?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image: string;
                    /** What is measured, in a query or form as a,b; everything but `embedding` when absent */
                    readonly include?: readonly ("landmarks" | "pose" | "head_pose" | "statistics" | "quality" | "geometry" | "symmetry" | "action_units" | "expression" | "expression_reading" | "age" | "gender" | "embedding")[];
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image: Blob | Uint8Array<ArrayBuffer>;
                    /** What is measured, in a query or form as a,b; everything but `embedding` when absent */
                    readonly include?: readonly ("landmarks" | "pose" | "head_pose" | "statistics" | "quality" | "geometry" | "symmetry" | "action_units" | "expression" | "expression_reading" | "age" | "gender" | "embedding")[];
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Faces"];
                };
            };
        };
    };
    readonly analyze_batch: {
        readonly parameters: {
            readonly query?: {
                /** What is measured, in a query or form as a,b; everything but `embedding` when absent */
                readonly include?: readonly ("landmarks" | "pose" | "head_pose" | "statistics" | "quality" | "geometry" | "symmetry" | "action_units" | "expression" | "expression_reading" | "age" | "gender" | "embedding")[];
                /** Only so many faces: those with the largest product of area and score */
                readonly max_faces?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Pictures */
                    readonly images: readonly string[];
                    /** What is measured, in a query or form as a,b; everything but `embedding` when absent */
                    readonly include?: readonly ("landmarks" | "pose" | "head_pose" | "statistics" | "quality" | "geometry" | "symmetry" | "action_units" | "expression" | "expression_reading" | "age" | "gender" | "embedding")[];
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Pictures */
                    readonly images: readonly (Blob | Uint8Array<ArrayBuffer>)[];
                    /** What is measured, in a query or form as a,b; everything but `embedding` when absent */
                    readonly include?: readonly ("landmarks" | "pose" | "head_pose" | "statistics" | "quality" | "geometry" | "symmetry" | "action_units" | "expression" | "expression_reading" | "age" | "gender" | "embedding")[];
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["AnalyzeBatch"];
                };
            };
        };
    };
    readonly list_audit: {
        readonly parameters: {
            readonly query?: {
                /** Only what was done in this way, such as person.erase */
                readonly action?: string;
                /** Only entries with smaller numbers */
                readonly before?: number;
                readonly limit?: number;
                /** Only what concerns this person, by id */
                readonly person?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["AuditEntries"];
                };
            };
        };
    };
    readonly check_audit: {
        readonly parameters: {
            readonly query?: {
                /** Its hash: it must be there still */
                readonly hash?: string;
                /** An entry known from an earlier check */
                readonly number?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["AuditCheck"];
                };
            };
        };
    };
    readonly list_cameras: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        readonly cameras: readonly components["schemas"]["Camera"][];
                    };
                };
            };
        };
    };
    readonly get_camera: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the configuration */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** A camera, with its counts since the start */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Camera"];
                };
            };
        };
    };
    readonly get_camera_picture: {
        readonly parameters: {
            readonly query?: {
                /** Most pixels of the longer side; default 960 */
                readonly max_side?: number;
                /** Of the JPEG; default 75 */
                readonly quality?: number;
            };
            readonly header?: never;
            readonly path: {
                /** Id of the configuration */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** JPEG */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "image/jpeg": Blob | Uint8Array<ArrayBuffer>;
                };
            };
        };
    };
    readonly list_collections: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CollectionList"];
                };
            };
        };
    };
    readonly create_collection: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CollectionPost"];
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Collection"];
                };
            };
        };
    };
    readonly get_collection: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Name of the collection */
                readonly name: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Collection"];
                };
            };
        };
    };
    readonly delete_collection: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Name of the collection */
                readonly name: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Erasure"];
                };
            };
        };
    };
    readonly detect: {
        readonly parameters: {
            readonly query?: {
                /** Find the 68 landmarks of each face as well; false when absent */
                readonly landmarks?: boolean;
                /** Only so many faces: those with the largest product of area and score */
                readonly max_faces?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image: string;
                    /** Find the 68 landmarks of each face as well; false when absent */
                    readonly landmarks?: boolean;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image: Blob | Uint8Array<ArrayBuffer>;
                    /** Find the 68 landmarks of each face as well; false when absent */
                    readonly landmarks?: boolean;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Faces"];
                };
            };
        };
    };
    readonly detect_batch: {
        readonly parameters: {
            readonly query?: {
                /** Find the 68 landmarks of each face as well; false when absent */
                readonly landmarks?: boolean;
                /** Only so many faces: those with the largest product of area and score */
                readonly max_faces?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Pictures */
                    readonly images: readonly string[];
                    /** Find the 68 landmarks of each face as well; false when absent */
                    readonly landmarks?: boolean;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Pictures */
                    readonly images: readonly (Blob | Uint8Array<ArrayBuffer>)[];
                    /** Find the 68 landmarks of each face as well; false when absent */
                    readonly landmarks?: boolean;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["DetectBatch"];
                };
            };
        };
    };
    readonly enrol: {
        readonly parameters: {
            readonly query?: {
                /** Collection; the configured one (`data.collection`) when absent */
                readonly collection?: string;
                /** Reference to a record of consent */
                readonly consent?: string;
                /** The samples are not matched any more from then on; ms since the epoch, UTC */
                readonly expires_at?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
                /** Leave out samples of lower quality; none left is an error */
                readonly min_quality?: number;
                /** Name of the person, without control characters */
                readonly name?: string;
                /** Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID */
                readonly on_conflict?: "allow" | "report" | "refuse";
                /** Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID */
                readonly on_existing?: "add" | "refuse";
                /** Id of the person: any text without control characters */
                readonly person?: string;
                /** Reference to the picture; the service keeps none */
                readonly source?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    /** Reference to a record of consent */
                    readonly consent?: string;
                    /** Of faces of the person, in the place of pictures */
                    readonly embeddings?: readonly components["schemas"]["Vector"][];
                    /** The samples are not matched any more from then on; ms since the epoch, UTC */
                    readonly expires_at?: number;
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image?: string;
                    /** Pictures */
                    readonly images?: readonly string[];
                    /** Whatever the application keeps with the person: JSON, at most 64 KiB */
                    readonly metadata?: unknown;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Leave out samples of lower quality; none left is an error */
                    readonly min_quality?: number;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /** Name of the person, without control characters */
                    readonly name?: string;
                    /**
                     * Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_conflict?: "allow" | "report" | "refuse";
                    /**
                     * Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_existing?: "add" | "refuse";
                    /** Id of the person: any text without control characters */
                    readonly person?: string;
                    /** Reference to the picture; the service keeps none */
                    readonly source?: string;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    /** Reference to a record of consent */
                    readonly consent?: string;
                    /** Of faces of the person, in the place of pictures */
                    readonly embeddings?: readonly components["schemas"]["Vector"][];
                    /** The samples are not matched any more from then on; ms since the epoch, UTC */
                    readonly expires_at?: number;
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image?: Blob | Uint8Array<ArrayBuffer>;
                    /** Pictures */
                    readonly images?: readonly (Blob | Uint8Array<ArrayBuffer>)[];
                    /** Whatever the application keeps with the person: JSON, at most 64 KiB */
                    readonly metadata?: unknown;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Leave out samples of lower quality; none left is an error */
                    readonly min_quality?: number;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /** Name of the person, without control characters */
                    readonly name?: string;
                    /**
                     * Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_conflict?: "allow" | "report" | "refuse";
                    /**
                     * Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_existing?: "add" | "refuse";
                    /** Id of the person: any text without control characters */
                    readonly person?: string;
                    /** Reference to the picture; the service keeps none */
                    readonly source?: string;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Enrolment"];
                };
            };
        };
    };
    readonly enrol_batch: {
        readonly parameters: {
            readonly query?: {
                /** Collection; the configured one (`data.collection`) when absent */
                readonly collection?: string;
                /** Reference to a record of consent */
                readonly consent?: string;
                /** The samples are not matched any more from then on; ms since the epoch, UTC */
                readonly expires_at?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
                /** Leave out samples of lower quality; none left is an error */
                readonly min_quality?: number;
                /** Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID */
                readonly on_conflict?: "allow" | "report" | "refuse";
                /** Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID */
                readonly on_existing?: "add" | "refuse";
                /** Reference to the picture; the service keeps none */
                readonly source?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    /** Reference to a record of consent */
                    readonly consent?: string;
                    /** In the place of pictures */
                    readonly embeddings?: readonly components["schemas"]["Vector"][];
                    /** The samples are not matched any more from then on; ms since the epoch, UTC */
                    readonly expires_at?: number;
                    /** Pictures */
                    readonly images?: readonly string[];
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Leave out samples of lower quality; none left is an error */
                    readonly min_quality?: number;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /**
                     * Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_conflict?: "allow" | "report" | "refuse";
                    /**
                     * Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_existing?: "add" | "refuse";
                    /** Who is on each picture, or whose each embedding is, in their order; one id stands for all of them */
                    readonly persons: readonly string[];
                    /** Reference to the picture; the service keeps none */
                    readonly source?: string;
                };
                readonly "multipart/form-data": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    /** Reference to a record of consent */
                    readonly consent?: string;
                    /** In the place of pictures */
                    readonly embeddings?: readonly components["schemas"]["Vector"][];
                    /** The samples are not matched any more from then on; ms since the epoch, UTC */
                    readonly expires_at?: number;
                    /** Pictures */
                    readonly images?: readonly (Blob | Uint8Array<ArrayBuffer>)[];
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Leave out samples of lower quality; none left is an error */
                    readonly min_quality?: number;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /**
                     * Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_conflict?: "allow" | "report" | "refuse";
                    /**
                     * Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_existing?: "add" | "refuse";
                    /** Who is on each picture, or whose each embedding is, in their order; one id stands for all of them */
                    readonly persons: readonly string[];
                    /** Reference to the picture; the service keeps none */
                    readonly source?: string;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["EnrolBatch"];
                };
            };
        };
    };
    readonly erase: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Id of the person */
                    readonly person?: string;
                    /** Id of the sample */
                    readonly sample?: string;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Erasure"];
                };
            };
        };
    };
    readonly list_events: {
        readonly parameters: {
            readonly query?: {
                /** `next` of the page before */
                readonly after?: string;
                /** Of these cameras; may be given several times */
                readonly camera?: readonly string[];
                /** Not before; ms since the epoch, UTC */
                readonly from?: number;
                readonly limit?: number;
                readonly order?: "newest" | "oldest";
                /** Of these persons or strangers */
                readonly person?: readonly string[];
                /** Before; ms since the epoch, UTC */
                readonly to?: number;
                /** Of these types; may be given several times */
                readonly type?: readonly ("appeared" | "left" | "recognised" | "stranger" | "expression" | "gesture" | "liveness" | "zone" | "line" | "camera" | "clip" | "gap")[];
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": {
                        readonly events: readonly components["schemas"]["Event"][];
                        readonly next?: string;
                    };
                };
            };
        };
    };
    readonly export_gallery: {
        readonly parameters: {
            readonly query?: {
                /** Only samples of this collection */
                readonly collection?: string;
                /** What becomes of a sample that cannot be read: the export fails (when absent), or it is left out */
                readonly on_damaged?: "stop" | "skip";
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Lines of JSON */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/x-ndjson": string;
                };
            };
        };
    };
    readonly compare_faces: {
        readonly parameters: {
            readonly query?: {
                /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                readonly fmr?: number;
                /** Only so many faces: those with the largest product of area and score */
                readonly max_faces?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
                /** Cosine from which on two faces are taken for one; excludes the rates */
                readonly threshold?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image1: string;
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image2: string;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
                readonly "multipart/form-data": {
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image1: Blob | Uint8Array<ArrayBuffer>;
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image2: Blob | Uint8Array<ArrayBuffer>;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Comparison"];
                };
            };
        };
    };
    readonly extract_embedding: {
        readonly parameters: {
            readonly query?: {
                /** Every face instead of the most prominent one; false when absent */
                readonly all?: boolean;
                /** Only so many faces: those with the largest product of area and score */
                readonly max_faces?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Every face instead of the most prominent one; false when absent */
                    readonly all?: boolean;
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image: string;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Every face instead of the most prominent one; false when absent */
                    readonly all?: boolean;
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image: Blob | Uint8Array<ArrayBuffer>;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Extraction"];
                };
            };
        };
    };
    readonly match_face: {
        readonly parameters: {
            readonly query?: {
                /** Collection; the configured one (`data.collection`) when absent */
                readonly collection?: string;
                /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                readonly fmr?: number;
                /** Most matches; 5 when absent */
                readonly limit?: number;
                /** Cosine from which on two faces are taken for one; excludes the rates */
                readonly threshold?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Whom to compare with */
                    readonly candidates?: readonly {
                        readonly embedding: components["schemas"]["Vector"];
                        /** Of your own; comes back with the match */
                        readonly id: string;
                    }[];
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    readonly embedding?: components["schemas"]["Vector"];
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image?: string;
                    /** Most matches; 5 when absent */
                    readonly limit?: number;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Whom to compare with */
                    readonly candidates?: readonly {
                        readonly embedding: components["schemas"]["Vector"];
                        /** Of your own; comes back with the match */
                        readonly id: string;
                    }[];
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    readonly embedding?: components["schemas"]["Vector"];
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image?: Blob | Uint8Array<ArrayBuffer>;
                    /** Most matches; 5 when absent */
                    readonly limit?: number;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["MatchAnswer"];
                };
            };
        };
    };
    readonly statistics: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Statistics"];
                };
            };
        };
    };
    readonly switch_recognition_model: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Either a name, or what is needed of it */
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["SwitchModel"];
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ModelSwitch"];
                };
            };
        };
    };
    readonly identify: {
        readonly parameters: {
            readonly query?: {
                /** Collection; the configured one (`data.collection`) when absent */
                readonly collection?: string;
                /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                readonly fmr?: number;
                /** Decide so that a search of everybody has this false positive identification rate */
                readonly fpir?: number;
                /** How the samples of a person count: the most similar one (when absent), their mean, or that by quality */
                readonly fuse?: "best" | "mean" | "quality";
                /** Most candidates of a face; 5 when absent */
                readonly k?: number;
                /** Only so many faces: those with the largest product of area and score */
                readonly max_faces?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
                /** Cosine from which on two faces are taken for one; excludes the rates */
                readonly threshold?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    /** In the place of a picture */
                    readonly embeddings?: readonly components["schemas"]["Vector"][];
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /** Decide so that a search of everybody has this false positive identification rate */
                    readonly fpir?: number;
                    /**
                     * How the samples of a person count: the most similar one (when absent), their mean, or that by quality
                     * @enum {string}
                     */
                    readonly fuse?: "best" | "mean" | "quality";
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image?: string;
                    /** Most candidates of a face; 5 when absent */
                    readonly k?: number;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    /** In the place of a picture */
                    readonly embeddings?: readonly components["schemas"]["Vector"][];
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /** Decide so that a search of everybody has this false positive identification rate */
                    readonly fpir?: number;
                    /**
                     * How the samples of a person count: the most similar one (when absent), their mean, or that by quality
                     * @enum {string}
                     */
                    readonly fuse?: "best" | "mean" | "quality";
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image?: Blob | Uint8Array<ArrayBuffer>;
                    /** Most candidates of a face; 5 when absent */
                    readonly k?: number;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Identification"];
                };
            };
        };
    };
    readonly identify_batch: {
        readonly parameters: {
            readonly query?: {
                /** Collection; the configured one (`data.collection`) when absent */
                readonly collection?: string;
                /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                readonly fmr?: number;
                /** Decide so that a search of everybody has this false positive identification rate */
                readonly fpir?: number;
                /** How the samples of a person count: the most similar one (when absent), their mean, or that by quality */
                readonly fuse?: "best" | "mean" | "quality";
                /** Most candidates of a face; 5 when absent */
                readonly k?: number;
                /** Only so many faces: those with the largest product of area and score */
                readonly max_faces?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
                /** Cosine from which on two faces are taken for one; excludes the rates */
                readonly threshold?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /** Decide so that a search of everybody has this false positive identification rate */
                    readonly fpir?: number;
                    /**
                     * How the samples of a person count: the most similar one (when absent), their mean, or that by quality
                     * @enum {string}
                     */
                    readonly fuse?: "best" | "mean" | "quality";
                    /** Pictures */
                    readonly images: readonly string[];
                    /** Most candidates of a face; 5 when absent */
                    readonly k?: number;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /** Decide so that a search of everybody has this false positive identification rate */
                    readonly fpir?: number;
                    /**
                     * How the samples of a person count: the most similar one (when absent), their mean, or that by quality
                     * @enum {string}
                     */
                    readonly fuse?: "best" | "mean" | "quality";
                    /** Pictures */
                    readonly images: readonly (Blob | Uint8Array<ArrayBuffer>)[];
                    /** Most candidates of a face; 5 when absent */
                    readonly k?: number;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["IdentifyBatch"];
                };
            };
        };
    };
    readonly import_gallery: {
        readonly parameters: {
            readonly query?: {
                /** What becomes of persons who are there: refuse (when absent), add the samples, or skip them */
                readonly on_existing?: "refuse" | "add" | "skip";
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/x-ndjson": unknown;
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ImportSummary"];
                };
            };
        };
    };
    readonly list_keys: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ApiKeys"];
                };
            };
        };
    };
    readonly create_key: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["NewApiKey"];
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** A new API key */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CreatedApiKey"];
                };
            };
        };
    };
    readonly revoke_key: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the key */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** It opens nothing any more */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    readonly landmarks: {
        readonly parameters: {
            readonly query?: {
                /** Only so many faces: those with the largest product of area and score */
                readonly max_faces?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image: string;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image: Blob | Uint8Array<ArrayBuffer>;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Faces"];
                };
            };
        };
    };
    readonly landmarks_batch: {
        readonly parameters: {
            readonly query?: {
                /** Only so many faces: those with the largest product of area and score */
                readonly max_faces?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Pictures */
                    readonly images: readonly string[];
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Pictures */
                    readonly images: readonly (Blob | Uint8Array<ArrayBuffer>)[];
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["LandmarksBatch"];
                };
            };
        };
    };
    readonly mesh: {
        readonly parameters: {
            readonly query?: {
                /** Of the camera along the longer side, degrees; from EXIF, or assumed, when absent */
                readonly field_of_view?: number;
                /** Levels of detail; 4 when absent */
                readonly levels?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
                /** Lay the photograph over the surface; true when absent */
                readonly texture?: boolean;
                /** Most triangles of the finest level; 20 000 when absent */
                readonly triangles?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Of the camera along the longer side, degrees; from EXIF, or assumed, when absent */
                    readonly field_of_view?: number;
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image: string;
                    /** Levels of detail; 4 when absent */
                    readonly levels?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Lay the photograph over the surface; true when absent */
                    readonly texture?: boolean;
                    /** Most triangles of the finest level; 20 000 when absent */
                    readonly triangles?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Of the camera along the longer side, degrees; from EXIF, or assumed, when absent */
                    readonly field_of_view?: number;
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image: Blob | Uint8Array<ArrayBuffer>;
                    /** Levels of detail; 4 when absent */
                    readonly levels?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Lay the photograph over the surface; true when absent */
                    readonly texture?: boolean;
                    /** Most triangles of the finest level; 20 000 when absent */
                    readonly triangles?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The surface */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "model/gltf-binary": Blob | Uint8Array<ArrayBuffer>;
                };
            };
        };
    };
    readonly list_models: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CatalogueModels"];
                };
            };
        };
    };
    readonly show_model: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of a model */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** A model and its card */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CatalogueModelDetail"];
                };
            };
        };
    };
    readonly remove_model: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of a model */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Done */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    readonly model_download: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of a model */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** How far a download is */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ModelDownload"];
                };
            };
        };
    };
    readonly download_model: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of a model */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** How far a download is */
            readonly 202: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ModelDownload"];
                };
            };
        };
    };
    readonly cancel_model_download: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of a model */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Done */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    readonly watch_model_download: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of a model */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Events, until the download has ended */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/event-stream": string;
                };
            };
        };
    };
    readonly accept_licence: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Short name of a licence */
                readonly licence_id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["AcceptedLicence"];
                };
            };
        };
    };
    readonly load_model: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["EngineName"];
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** A choice of networks under a name */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Engine"];
                };
            };
        };
    };
    readonly list_engines: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["EngineList"];
                };
            };
        };
    };
    readonly model_memory: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ModelMemory"];
                };
            };
        };
    };
    readonly select_model: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["ModelRequirement"];
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ModelSelection"];
                };
            };
        };
    };
    readonly switch_model: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Either a name, or what is needed of it */
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["SwitchModel"];
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ModelSwitch"];
                };
            };
        };
    };
    readonly unload_model: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["EngineName"];
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** A choice of networks under a name */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Engine"];
                };
            };
        };
    };
    readonly list_operations: {
        readonly parameters: {
            readonly query?: {
                /** Only so many of the newest; 100 when absent */
                readonly limit?: number;
                /** Only those that concern this person, by id */
                readonly person?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OperationList"];
                };
            };
        };
    };
    readonly undo_operation: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the operation */
                readonly id: number;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** It is as before */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    readonly performance: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** What the service has done, how long it took, and what it holds */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Performance"];
                };
            };
        };
    };
    readonly list_persons: {
        readonly parameters: {
            readonly query?: {
                /** `next` of the page before */
                readonly after?: string;
                /** Only persons with samples in this collection */
                readonly collection?: string;
                /** Persons on a page; 100 when absent */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["PersonPage"];
                };
            };
        };
    };
    readonly create_person: {
        readonly parameters: {
            readonly query?: {
                /** Collection; the configured one (`data.collection`) when absent */
                readonly collection?: string;
                /** Reference to a record of consent */
                readonly consent?: string;
                /** The samples are not matched any more from then on; ms since the epoch, UTC */
                readonly expires_at?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
                /** Leave out samples of lower quality; none left is an error */
                readonly min_quality?: number;
                /** Name of the person, without control characters */
                readonly name?: string;
                /** Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID */
                readonly on_conflict?: "allow" | "report" | "refuse";
                /** Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID */
                readonly on_existing?: "add" | "refuse";
                /** Id of the person: any text without control characters */
                readonly person?: string;
                /** Reference to the picture; the service keeps none */
                readonly source?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    /** Reference to a record of consent */
                    readonly consent?: string;
                    /** Of faces of the person, in the place of pictures */
                    readonly embeddings?: readonly components["schemas"]["Vector"][];
                    /** The samples are not matched any more from then on; ms since the epoch, UTC */
                    readonly expires_at?: number;
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image?: string;
                    /** Pictures */
                    readonly images?: readonly string[];
                    /** Whatever the application keeps with the person: JSON, at most 64 KiB */
                    readonly metadata?: unknown;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Leave out samples of lower quality; none left is an error */
                    readonly min_quality?: number;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /** Name of the person, without control characters */
                    readonly name?: string;
                    /**
                     * Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_conflict?: "allow" | "report" | "refuse";
                    /**
                     * Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_existing?: "add" | "refuse";
                    /** Id of the person: any text without control characters */
                    readonly person?: string;
                    /** Reference to the picture; the service keeps none */
                    readonly source?: string;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    /** Reference to a record of consent */
                    readonly consent?: string;
                    /** Of faces of the person, in the place of pictures */
                    readonly embeddings?: readonly components["schemas"]["Vector"][];
                    /** The samples are not matched any more from then on; ms since the epoch, UTC */
                    readonly expires_at?: number;
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image?: Blob | Uint8Array<ArrayBuffer>;
                    /** Pictures */
                    readonly images?: readonly (Blob | Uint8Array<ArrayBuffer>)[];
                    /** Whatever the application keeps with the person: JSON, at most 64 KiB */
                    readonly metadata?: unknown;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Leave out samples of lower quality; none left is an error */
                    readonly min_quality?: number;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /** Name of the person, without control characters */
                    readonly name?: string;
                    /**
                     * Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_conflict?: "allow" | "report" | "refuse";
                    /**
                     * Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_existing?: "add" | "refuse";
                    /** Id of the person: any text without control characters */
                    readonly person?: string;
                    /** Reference to the picture; the service keeps none */
                    readonly source?: string;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Enrolment"];
                };
            };
        };
    };
    readonly get_person: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the person: any text without control characters */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Person"];
                };
            };
        };
    };
    readonly put_person: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the person: any text without control characters */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        /** Name and metadata as they are to be; what is absent is taken away */
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["PersonPut"];
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ChangedPerson"];
                };
            };
        };
    };
    readonly delete_person: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the person: any text without control characters */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Erasure"];
                };
            };
        };
    };
    readonly patch_person: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the person: any text without control characters */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        /** What is to change; what is absent stays */
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["PersonPatch"];
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ChangedPerson"];
                };
            };
        };
    };
    readonly not_this_person: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the person: any text without control characters */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    readonly embedding?: components["schemas"]["Vector"];
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image?: string;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /** Id of a sample that is enrolled as somebody else's */
                    readonly sample?: string;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    readonly embedding?: components["schemas"]["Vector"];
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image?: Blob | Uint8Array<ArrayBuffer>;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /** Id of a sample that is enrolled as somebody else's */
                    readonly sample?: string;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Feedback"];
                };
            };
        };
    };
    readonly merge_persons: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the person: any text without control characters */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["PersonMerge"];
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ChangedPerson"];
                };
            };
        };
    };
    readonly list_samples: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the person: any text without control characters */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SampleList"];
                };
            };
        };
    };
    readonly add_samples: {
        readonly parameters: {
            readonly query?: {
                /** Collection; the configured one (`data.collection`) when absent */
                readonly collection?: string;
                /** Reference to a record of consent */
                readonly consent?: string;
                /** The samples are not matched any more from then on; ms since the epoch, UTC */
                readonly expires_at?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
                /** Leave out samples of lower quality; none left is an error */
                readonly min_quality?: number;
                /** Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID */
                readonly on_conflict?: "allow" | "report" | "refuse";
                /** Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID */
                readonly on_existing?: "add" | "refuse";
                /** Reference to the picture; the service keeps none */
                readonly source?: string;
            };
            readonly header?: never;
            readonly path: {
                /** Id of the person: any text without control characters */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    /** Reference to a record of consent */
                    readonly consent?: string;
                    /** Of faces of the person, in the place of pictures */
                    readonly embeddings?: readonly components["schemas"]["Vector"][];
                    /** The samples are not matched any more from then on; ms since the epoch, UTC */
                    readonly expires_at?: number;
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image?: string;
                    /** Pictures */
                    readonly images?: readonly string[];
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Leave out samples of lower quality; none left is an error */
                    readonly min_quality?: number;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /**
                     * Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_conflict?: "allow" | "report" | "refuse";
                    /**
                     * Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_existing?: "add" | "refuse";
                    /** Reference to the picture; the service keeps none */
                    readonly source?: string;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    /** Reference to a record of consent */
                    readonly consent?: string;
                    /** Of faces of the person, in the place of pictures */
                    readonly embeddings?: readonly components["schemas"]["Vector"][];
                    /** The samples are not matched any more from then on; ms since the epoch, UTC */
                    readonly expires_at?: number;
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image?: Blob | Uint8Array<ArrayBuffer>;
                    /** Pictures */
                    readonly images?: readonly (Blob | Uint8Array<ArrayBuffer>)[];
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                    /** Leave out samples of lower quality; none left is an error */
                    readonly min_quality?: number;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /**
                     * Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_conflict?: "allow" | "report" | "refuse";
                    /**
                     * Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID
                     * @enum {string}
                     */
                    readonly on_existing?: "add" | "refuse";
                    /** Reference to the picture; the service keeps none */
                    readonly source?: string;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Enrolment"];
                };
            };
        };
    };
    readonly split_person: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the person: any text without control characters */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        /** Samples of the new person, and its id (made where none is given), name and metadata */
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["PersonSplit"];
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ChangedPerson"];
                };
            };
        };
    };
    readonly verify_person: {
        readonly parameters: {
            readonly query?: {
                /** Collection; the configured one (`data.collection`) when absent */
                readonly collection?: string;
                /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                readonly fmr?: number;
                /** Cosine from which on two faces are taken for one; excludes the rates */
                readonly threshold?: number;
            };
            readonly header?: never;
            readonly path: {
                /** Id of the person: any text without control characters */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    readonly embedding?: components["schemas"]["Vector"];
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image?: string;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Collection; the configured one (`data.collection`) when absent */
                    readonly collection?: string;
                    readonly embedding?: components["schemas"]["Vector"];
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image?: Blob | Uint8Array<ArrayBuffer>;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["PersonVerification"];
                };
            };
        };
    };
    readonly purge_expired: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Purge"];
                };
            };
        };
    };
    readonly quality: {
        readonly parameters: {
            readonly query?: {
                /** Only so many faces: those with the largest product of area and score */
                readonly max_faces?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image: string;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image: Blob | Uint8Array<ArrayBuffer>;
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Faces"];
                };
            };
        };
    };
    readonly quality_batch: {
        readonly parameters: {
            readonly query?: {
                /** Only so many faces: those with the largest product of area and score */
                readonly max_faces?: number;
                /** Leave out faces whose box has a shorter side than this; pixels */
                readonly min_face_size?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Pictures */
                    readonly images: readonly string[];
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Pictures */
                    readonly images: readonly (Blob | Uint8Array<ArrayBuffer>)[];
                    /** Only so many faces: those with the largest product of area and score */
                    readonly max_faces?: number;
                    /** Leave out faces whose box has a shorter side than this; pixels */
                    readonly min_face_size?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["QualityBatch"];
                };
            };
        };
    };
    readonly list_receipts: {
        readonly parameters: {
            readonly query?: {
                /** Most receipts; 100 when absent */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ReceiptList"];
                };
            };
        };
    };
    readonly verify_receipt: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Of a person, sample or collection that it may speak of */
                    readonly id?: string;
                    readonly receipt: components["schemas"]["Receipt"];
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ReceiptCheck"];
                };
            };
        };
    };
    readonly delete_sample: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the sample */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Erasure"];
                };
            };
        };
    };
    readonly get_thumbnail: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** Id of the sample */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The picture */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "image/jpeg": Blob | Uint8Array<ArrayBuffer>;
                };
            };
        };
    };
    readonly similarity: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    readonly embedding1?: components["schemas"]["Vector"];
                    readonly embedding2?: components["schemas"]["Vector"];
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image1?: string;
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image2?: string;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                };
                readonly "multipart/form-data": {
                    readonly embedding1?: components["schemas"]["Vector"];
                    readonly embedding2?: components["schemas"]["Vector"];
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image1?: Blob | Uint8Array<ArrayBuffer>;
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image2?: Blob | Uint8Array<ArrayBuffer>;
                    /** Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH) */
                    readonly model?: string;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SimilarityAnswer"];
                };
            };
        };
    };
    readonly create_ticket: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Ticket"];
                };
            };
        };
    };
    readonly verify: {
        readonly parameters: {
            readonly query?: {
                /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                readonly fmr?: number;
                /** Cosine from which on two faces are taken for one; excludes the rates */
                readonly threshold?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image1: string;
                    /**
                     * Format: byte
                     * The bytes of the picture as base64, or a data: URL of them; no address and no path is read
                     */
                    readonly image2: string;
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
                readonly "multipart/form-data": {
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image1: Blob | Uint8Array<ArrayBuffer>;
                    /**
                     * Format: binary
                     * The picture as a file: JPEG, PNG, WebP, GIF, TIFF or AVIF, told by its content
                     */
                    readonly image2: Blob | Uint8Array<ArrayBuffer>;
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Verification"];
                };
            };
        };
    };
    readonly verify_batch: {
        readonly parameters: {
            readonly query?: {
                /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                readonly fmr?: number;
                /** Cosine from which on two faces are taken for one; excludes the rates */
                readonly threshold?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": {
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /** Pictures */
                    readonly images: readonly string[];
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
                readonly "application/octet-stream": Blob | Uint8Array<ArrayBuffer>;
                readonly "image/*": Blob | Uint8Array<ArrayBuffer>;
                readonly "multipart/form-data": {
                    /** Accept this false match rate of one comparison; the threshold follows from the calibration of the model */
                    readonly fmr?: number;
                    /** Pictures */
                    readonly images: readonly (Blob | Uint8Array<ArrayBuffer>)[];
                    /** Cosine from which on two faces are taken for one; excludes the rates */
                    readonly threshold?: number;
                };
            };
        };
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Default Response */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["VerifyBatch"];
                };
            };
        };
    };
    readonly health: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The process lives and answers */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    readonly metrics: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Metrics */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/plain": string;
                };
            };
        };
    };
    readonly ready: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** The request cannot be answered */
            readonly "4XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** The service cannot answer now */
            readonly "5XX": {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** Whether requests can be answered, and what is missing where they cannot */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Readiness"];
                };
            };
            /** Whether requests can be answered, and what is missing where they cannot */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
}
