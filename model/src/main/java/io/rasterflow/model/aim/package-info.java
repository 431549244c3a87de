/** AIM (arXiv 2401.08541): trunk, pixel head and the next-patch objective. */
package io.rasterflow.model.aim;
