/** A style sheet: importing it puts it into the bundle. */
declare module "*.css";
