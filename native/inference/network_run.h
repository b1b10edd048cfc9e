// One job on a network: pixels to tensors, the network, decoding; in one go on the calling thread.
#pragma once

#include "core/cancel.h"
#include "core/status.h"
#include "inference/network_job.h"
#include "inference/session.h"

namespace lineament {

// Checks the job against the network, prepares the input straight into the memory that the network reads, runs it (in
// turns of at most job.max_batch items, or of as many as the network's batch dimension fixes) and decodes. Thread-safe.
//
// Raw outputs of several turns are joined: along the first dimension where that is the number of items, else along a
// new first dimension, one entry per turn. kInvalidArgument where the job does not fit the network.
Status run_network(Session& session, const NetworkJob& job, const CancelTokenPtr& token, NetworkResult* result);

}  // namespace lineament
