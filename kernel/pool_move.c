#include "pool.h"
int morsel_pool_move(struct morsel_pool *pool, const char **why) { return 0; }
