/** How the loss falls with size: runs read from their journals, the laws fitted to them as JSON and a page. */
package io.rasterflow.scaling.law;
